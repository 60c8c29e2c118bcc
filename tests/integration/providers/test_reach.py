"""Providers of the settings are reached wherever they are; addresses that come with jobs are not."""

from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from jobmill.adapters.web_push.sender import point_of, to_base64
from jobmill.application.handlers import PermanentFailure
from jobmill.entrypoints.container import open_registry
from jobmill.entrypoints.settings import Settings

from tests.integration.providers.test_twilio import TEXT_SID, accepting
from tests.integration.providers.web_servers import a_web_server
from tests.unit.entrypoints.test_providers import run

NUMBER = "+15550100123"
BROWSER = {"p256dh": to_base64(point_of(generate_private_key(SECP256R1()))), "auth": "y" * 22}
WEB_PUSH = f"webpush://?private_key={'A' * 42}E&subject=mailto:ops@example.com"


async def test_a_provider_in_a_private_network_is_reached_and_a_webhook_to_it_is_not(tmp_path: Path) -> None:
    async with a_web_server(accepting) as server:
        base = quote(server.url, safe="")
        settings = Settings.from_env(
            {
                "JOBMILL_HOST": "0.0.0.0",
                "JOBMILL_HOME": str(tmp_path),
                "JOBMILL_SMS_URL": f"twilio://AC1:token@twilio?from={NUMBER}&base_url={base}",
                "JOBMILL_PUSH_URL": WEB_PUSH,
            }
        )
        async with open_registry(settings) as registry:
            taken = await run(registry, "sms", to=NUMBER, body="Hello")
            with pytest.raises(PermanentFailure, match="loopback address"):
                await run(registry, "webhook", url=server.url)
            browser = {"endpoint": f"https://127.0.0.1:{server.port}/", "keys": BROWSER}
            with pytest.raises(PermanentFailure, match="loopback address"):
                await run(registry, "push", recipient=browser, title="Hi")

    assert taken == {"provider": "sms:twilio", "id": TEXT_SID}
    assert len(server.requests) == 1


async def test_a_message_for_which_no_provider_is_named_is_a_dead_letter_at_once(tmp_path: Path) -> None:
    settings = Settings.from_env({"JOBMILL_HOME": str(tmp_path), "JOBMILL_PUSH_URL": WEB_PUSH})

    async with open_registry(settings) as registry:
        with pytest.raises(PermanentFailure, match="none of the providers carries such a message"):
            await run(registry, "push", recipient="a-device-token", title="Hi")
