"""Messages to devices by FCM's protocol: a token from a signed claim, then the messages."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jwt
import pytest
from aiohttp import web
from attrs import define, field
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jobmill.adapters.fcm import AccessTokens, FcmPushes, read_service_account
from jobmill.adapters.memory.clocks import ManualClock
from jobmill.application.errors import WrongAddress
from jobmill.application.ports.providers import ProviderRefused, ProviderUnavailable, PushMessage, PushTarget
from jobmill.application.provider_urls import read_provider_url

from tests.builders import NOW
from tests.integration.providers.web_calls import a_client
from tests.integration.providers.web_servers import a_web_server

KEY: Final = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
PEM: Final = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
MESSAGE: Final = PushMessage(key="k:1", target="device-token", title="Hi", body="Grüße")


@define(eq=False)
class Fcm:
    """Answers as the provider does; ``answers`` are the next ones to messages, instead of the usual."""

    folder: Path
    clock: ManualClock = field(factory=lambda: ManualClock(time=NOW))
    carrier: FcmPushes = field(init=False)
    claims: list[dict[str, Any]] = field(factory=list)
    messages: list[dict[str, Any]] = field(factory=list)
    bearers: list[str] = field(factory=list)
    answers: list[web.StreamResponse] = field(factory=list)
    token_answer: dict[str, object] | None = None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/token":
            form = await request.post()
            assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            url = f"http://{request.host}/token"
            options: Any = {"verify_exp": False, "verify_iat": False}
            public = KEY.public_key()
            assertion = str(form["assertion"])
            self.claims.append(
                jwt.decode(assertion, public, algorithms=["RS256"], audience=url, options=options)
            )
            usual = {"access_token": f"token-{len(self.claims)}", "expires_in": 3_599}
            return web.json_response(self.token_answer or usual)
        assert request.path == "/v1/projects/shop-7/messages:send"
        self.bearers.append(request.headers["Authorization"])
        self.messages.append((await request.json())["message"])
        if self.answers:
            return self.answers.pop(0)
        return web.json_response({"name": f"projects/shop-7/messages/{len(self.messages)}"})


@pytest.fixture
async def fcm(tmp_path: Path) -> AsyncGenerator[Fcm]:
    fcm = Fcm(folder=tmp_path)
    async with a_web_server(fcm.serve) as server, a_client() as client:
        account = read_service_account(read_provider_url(an_address(tmp_path, server.url)))
        tokens = AccessTokens(account=account, web=client, clock=fcm.clock)
        fcm.carrier = FcmPushes(account=account, tokens=tokens, web=client, clock=fcm.clock)
        yield fcm


def an_address(
    folder: Path, base: str = "http://127.0.0.1", changes: Mapping[str, object] | None = None
) -> str:
    file = folder / "account.json"
    said = {
        "client_email": "mill@shop-7.example",
        "private_key": PEM,
        "project_id": "shop-7",
        "token_uri": f"{base}/token",
    }
    file.write_text(json.dumps(said | dict(changes or {})))
    return f"fcm://{file}?base_url={quote(base, safe='')}"


def an_error(status: int, word: str | None = None) -> web.StreamResponse:
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": word}]
    return web.json_response({"error": {"code": status, "details": details}}, status=status)


async def test_a_message_goes_to_the_device_under_its_key(fcm: Fcm) -> None:
    """The very message that firebase-admin 7.7, the provider's own library, sends for the same values.

    It was tried on answers like those of ``an_error`` too, and took each for what it is meant to be:
    UnregisteredError, QuotaExceededError, SenderIdMismatchError, InvalidArgumentError, UnavailableError.
    """
    assert await fcm.carrier.send(MESSAGE) == {"id": "projects/shop-7/messages/1"}

    assert fcm.messages == [
        {
            "token": "device-token",
            "notification": {"title": "Hi", "body": "Grüße"},
            "android": {"collapse_key": "k:1", "notification": {"tag": "k:1"}},
            "apns": {"headers": {"apns-collapse-id": "k:1"}},
        }
    ]
    assert fcm.claims[0]["iss"] == "mill@shop-7.example"
    assert fcm.claims[0]["scope"].endswith("firebase.messaging")
    assert fcm.claims[0]["exp"] - fcm.claims[0]["iat"] == 3_600


async def test_many_messages_share_one_token_until_it_ends(fcm: Fcm) -> None:
    await asyncio.gather(*(fcm.carrier.send(MESSAGE) for _ in range(5)))
    fcm.clock.time = NOW + timedelta(minutes=56)
    await fcm.carrier.send(MESSAGE)

    assert fcm.bearers == ["Bearer token-1"] * 5 + ["Bearer token-2"]


async def test_a_token_that_is_refused_is_not_used_again(fcm: Fcm) -> None:
    fcm.answers = [an_error(401)]

    with pytest.raises(ProviderUnavailable, match="answered 401"):
        await fcm.carrier.send(MESSAGE)
    await fcm.carrier.send(MESSAGE)

    assert fcm.bearers == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize(
    "answer", [{"access_token": "a\nb", "expires_in": 9}, {"access_token": "a"}, {"error": "invalid_grant"}]
)
async def test_without_a_token_nothing_was_sent(fcm: Fcm, answer: dict[str, object]) -> None:
    fcm.token_answer = answer

    with pytest.raises(ProviderUnavailable, match="no access token: answered 200 OK") as error:
        await fcm.carrier.send(MESSAGE)

    assert not error.value.in_doubt
    assert fcm.messages == []


@pytest.mark.parametrize(
    ("status", "word", "error"),
    [
        (404, "UNREGISTERED", ProviderRefused),
        (403, "SENDER_ID_MISMATCH", ProviderRefused),
        (400, "INVALID_ARGUMENT", ProviderRefused),
        (404, None, ProviderUnavailable),
        (403, "THIRD_PARTY_AUTH_ERROR", ProviderUnavailable),
        (429, "QUOTA_EXCEEDED", ProviderUnavailable),
        (503, "UNAVAILABLE", ProviderUnavailable),
    ],
)
async def test_what_is_about_the_device_is_final(
    fcm: Fcm, status: int, word: str | None, error: type[Exception]
) -> None:
    fcm.answers = [an_error(status, word)]

    with pytest.raises(error, match=f"answered {status}"):
        await fcm.carrier.send(MESSAGE)


async def test_words_that_are_none_of_the_providers_are_not_repeated(fcm: Fcm) -> None:
    fcm.answers = [an_error(400, "Bearer token-1")]

    with pytest.raises(ProviderRefused, match=r"^answered 400 Bad Request$"):
        await fcm.carrier.send(MESSAGE)


def test_a_browsers_subscription_is_not_for_devices() -> None:
    browser = PushTarget(endpoint="https://push.example/1", p256dh="x", auth="y")

    assert FcmPushes.carries(MESSAGE)
    assert not FcmPushes.carries(PushMessage(key="k", target=browser, title="Hi", body=""))


@pytest.mark.parametrize(
    "changes",
    [
        {"private_key": "swordfish"},
        {"private_key": None},
        {"client_email": ""},
        {"project_id": 7},
        {"token_uri": "ftp://x"},
    ],
)
def test_a_file_that_is_no_service_accounts_is_refused_without_its_words(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    url = read_provider_url(an_address(tmp_path, changes=changes))

    with pytest.raises(WrongAddress, match=r"account\.json is no key file") as refusal:
        read_service_account(url)

    assert "swordfish" not in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read: No such file"), ("{", "is not JSON"), ("[]", "no key file")]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    file = tmp_path / "account.json"
    if content is not None:
        file.write_text(content)

    with pytest.raises(WrongAddress, match=said):
        read_service_account(read_provider_url(f"fcm://{file}"))


@pytest.mark.parametrize("address", ["fcm://", "fcm://host/x", "fcm:///x?colour=red"])
def test_an_address_names_a_file_and_nothing_else(address: str) -> None:
    with pytest.raises(WrongAddress):
        read_service_account(read_provider_url(address))
