"""The README is true: all that it has typed is typed, and prints what it says."""

from pathlib import Path

import pytest

from tests.examples.copied import copied
from tests.examples.readme import follow
from tests.servers.ports import free_ports

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


async def test_every_command_of_the_readme_prints_what_it_says(tmp_path: Path) -> None:
    port, provider_port = free_ports(2)
    base_url = f"http%3A%2F%2Flocalhost%3A{provider_port}"
    settings = {
        "JOBMILL_PORT": str(port),
        "MILL_URL": f"http://localhost:{port}",
        "PROVIDER_PORT": str(provider_port),
        "JOBMILL_SMS_URL": f"twilio://AC1:token@localhost?from=+15550100123&base_url={base_url},simulate://",
    }
    async with copied("notifications", tmp_path, settings) as example:
        typed = await follow(example, {3000: port, 4010: provider_port})

    assert typed[0] == "make up"
    assert typed[-1] == "make load ARGS=300"
    assert len(typed) == 9
