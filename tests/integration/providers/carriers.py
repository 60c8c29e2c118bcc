"""Every carrier that speaks HTTP, set up against one server of a test, with secrets to look for."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from attrs import frozen
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jobmill.adapters.fcm import AccessTokens, FcmPushes, read_service_account
from jobmill.adapters.memory import SeededEntropy
from jobmill.adapters.memory.clocks import ManualClock
from jobmill.adapters.twilio import TwilioCalls, TwilioTexts, read_account
from jobmill.adapters.web_push import WebPushes, read_sender
from jobmill.adapters.web_push.sender import point_of, to_base64
from jobmill.application.ports.providers import (
    PhoneCall,
    PushMessage,
    PushTarget,
    TextMessage,
    WebAnswer,
    WebClient,
    WebRequest,
)
from jobmill.application.provider_urls import read_provider_url

from tests.builders import NOW
from tests.integration.providers.web_calls import a_client

SECRET: Final = "swordfish"
KINDS: Final = ("sms", "call", "fcm", "webpush")
_NUMBER: Final = "+15550100123"
_KEY: Final = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)

Send = Callable[[], Awaitable[Mapping[str, str]]]


@frozen
class TokenGiver(WebClient):
    """Gives an access token without a server, and passes on whatever else is asked."""

    inner: WebClient

    async def call(self, request: WebRequest) -> WebAnswer:
        if request.url.endswith("/token"):
            said = {"access_token": SECRET, "expires_in": 3_599}
            return WebAnswer(status=200, body=json.dumps(said).encode())
        return await self.inner.call(request)


@asynccontextmanager
async def a_carrier(kind: str, url: str, folder: Path, *, total_s: float = 5.0) -> AsyncGenerator[Send]:
    """What sends one message of a kind to the server at an address."""
    base = url.rstrip("/")
    async with a_client(total_s=total_s) as web:
        yield _sender(kind, base, folder, web)


def _sender(kind: str, base: str, folder: Path, web: WebClient) -> Send:
    clock = ManualClock(time=NOW)
    if kind in ("sms", "call"):
        address = f"twilio://AC1:{SECRET}@twilio?from=+15550100999&base_url={quote(base, safe='')}"
        account = read_account(read_provider_url(address), calls=kind == "call")
        if kind == "sms":
            text = TextMessage(key="k", recipient=_NUMBER, body="Hello")
            return lambda: TwilioTexts(account=account, web=web, clock=clock).send(text)
        call = PhoneCall(key="k", recipient=_NUMBER, call_id="c", words="Hello")
        return lambda: TwilioCalls(account=account, web=web, clock=clock).send(call)
    if kind == "fcm":
        robot = read_service_account(read_provider_url(_key_file(folder, base)))
        giver = TokenGiver(web)
        tokens = AccessTokens(account=robot, web=giver, clock=clock)
        devices = FcmPushes(account=robot, tokens=tokens, web=giver, clock=clock)
        to_device = PushMessage(key="k", target="token", title="Hi", body="Hello")
        return lambda: devices.send(to_device)
    private = to_base64(SECRET.ljust(32, "!").encode())
    sender = read_sender(read_provider_url(f"webpush://?private_key={private}&subject=mailto:a@b.example"))
    browsers = WebPushes(sender=sender, web=web, clock=clock, entropy=SeededEntropy(7))
    target = PushTarget(
        endpoint=base + "/x", p256dh=to_base64(point_of(generate_private_key(SECP256R1()))), auth="y" * 22
    )
    to_browser = PushMessage(key="k", target=target, title="Hi", body="Hello")
    return lambda: browsers.send(to_browser)


def _key_file(folder: Path, base: str) -> str:
    pem = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    file = folder / "account.json"
    said = {"client_email": "mill@shop", "private_key": pem, "project_id": "p", "token_uri": f"{base}/token"}
    file.write_text(json.dumps(said))
    return f"fcm://{file}?base_url={quote(base, safe='')}"
