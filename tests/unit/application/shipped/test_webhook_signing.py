"""Signed webhooks, checked by the library of Standard Webhooks itself."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from attrs import define, field
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from jobmill.adapters.memory.clocks import ManualClock
from jobmill.application.handlers import PermanentFailure
from jobmill.application.ports.providers import WebAnswer, WebClient, WebRequest
from jobmill.application.shipped import webhook_handlers
from jobmill.application.shipped.webhook_signing import parse_secrets

from tests.unit.application.shipped.attempts import faults_of, run_one

OLD, NEW, OTHER = ("whsec_" + b64encode(bytes([n]) * 24).decode() for n in (251, 252, 3))
#: Of base64's own letters: it holds plus signs.
PLUSES = "whsec_" + b64encode(b"\xfb\xef\xbe" * 10).decode()


@define
class Web(WebClient):
    requests: list[WebRequest] = field(factory=list)

    async def call(self, request: WebRequest) -> WebAnswer:
        self.requests.append(request)
        return WebAnswer(status=204)


async def sent(setting: str, *, at: datetime | None = None, **payload: object) -> WebRequest:
    web = Web()
    clock = ManualClock(time=at or datetime.now(UTC))
    handlers = webhook_handlers(web, clock=clock, secrets=parse_secrets(setting) if setting else None)
    await run_one(handlers, {"url": "https://hooks.example.com/", "body": {"order": 7}} | payload)
    return web.requests[0]


def is_believed(request: WebRequest, secret: str) -> bool:
    try:
        Webhook(secret).verify(request.body, dict(request.headers))
    except WebhookVerificationError:
        return False
    return True


async def test_the_receiver_believes_what_its_secret_signed_and_nothing_else() -> None:
    request = await sent(f"shop={NEW},other={OTHER}", secret="shop")

    assert is_believed(request, NEW)
    assert not is_believed(request, OTHER)


async def test_while_secrets_change_receivers_with_either_believe() -> None:
    request = await sent(f"shop={OLD}+{NEW}+{PLUSES}", secret="shop")

    assert all(is_believed(request, secret) for secret in (OLD, NEW, PLUSES))
    assert not is_believed(request, OTHER)


async def test_a_webhook_without_a_body_is_signed_too() -> None:
    request = await sent(f"shop={NEW}", secret="shop", body=None, method="DELETE")

    assert request.body == b""
    assert request.headers["webhook-signature"].startswith("v1,")


async def test_an_old_request_sent_again_is_not_believed() -> None:
    request = await sent(f"shop={NEW}", secret="shop", at=datetime.now(UTC) - timedelta(hours=1))

    assert not is_believed(request, NEW)


async def test_what_names_no_secret_is_signed_by_the_default_one_or_not_at_all() -> None:
    assert is_believed(await sent(f"default={NEW}"), NEW)
    assert "webhook-signature" not in (await sent(f"shop={NEW}")).headers
    assert "webhook-signature" not in (await sent("")).headers


async def test_a_secret_that_this_worker_lacks_is_final_and_nothing_is_sent() -> None:
    with pytest.raises(PermanentFailure, match="no secret 'shop': look at JOBMILL_WEBHOOK_SECRETS"):
        await sent(f"default={NEW}", secret="shop")


@pytest.mark.parametrize("name", ["", NEW, "Shop", "a b", "x" * 51])
def test_a_payload_names_a_secret_and_never_holds_one(name: str) -> None:
    handlers = webhook_handlers(Web(), clock=ManualClock())

    assert list(faults_of(handlers, {"url": "https://hooks.example.com/", "secret": name})) == ["/secret"]


@pytest.mark.parametrize(
    "text",
    [
        ",",
        NEW,
        f"={NEW}",
        f"Shop={NEW}",
        f"shop={NEW},shop={OLD}",
        f"shop={NEW.removeprefix('whsec_')}",
        "shop=whsec_" + b64encode(b"swordfish").decode(),
        "shop=whsec_" + b64encode(b"swordfish" * 8).decode(),
        "shop=whsec_swordfish!",
        f"shop={NEW}+",
    ],
)
def test_secrets_that_are_none_are_refused_unseen(text: str) -> None:
    with pytest.raises(ValueError, match=r"must (be|hold)") as refusal:
        parse_secrets(text)

    assert "swordfish" not in str(refusal.value)
    assert NEW not in str(refusal.value)
