"""Messages to browsers: decrypted by another library than ours, and by the example of RFC 8291."""

import json
from base64 import urlsafe_b64decode
from typing import Any, Final

import http_ece
import jwt
import pytest
from aiohttp import web
from attrs import evolve
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)

from jobmill.adapters.http_client import AddressGuard
from jobmill.adapters.memory import SeededEntropy
from jobmill.adapters.memory.clocks import ManualClock
from jobmill.adapters.web_push import WebPushes, read_sender
from jobmill.adapters.web_push.encryption import encrypt
from jobmill.adapters.web_push.sender import from_base64, point_of, to_base64
from jobmill.application.errors import WrongAddress
from jobmill.application.ports.providers import ProviderRefused, ProviderUnavailable, PushMessage, PushTarget
from jobmill.application.provider_urls import read_provider_url

from tests.builders import NOW
from tests.integration.providers.web_calls import a_client
from tests.integration.providers.web_servers import WebServer, a_web_server

BROWSER: Final = generate_private_key(SECP256R1())
SECRET: Final = bytes(range(16))
OWN_KEY: Final = to_base64(bytes(range(1, 33)))
ADDRESS: Final = f"webpush://?private_key={OWN_KEY}&subject=mailto:ops@example.com"


async def created(_: web.Request) -> web.StreamResponse:
    return web.Response(status=201, headers={"Location": "https://push.example/m/1"})


def a_message(server: WebServer, *, body: str = "Grüße", **changes: str) -> PushMessage:
    target = PushTarget(
        endpoint=f"{server.url}/send/abc", p256dh=to_base64(point_of(BROWSER)), auth=to_base64(SECRET)
    )
    return PushMessage(key="k:1", target=evolve(target, **changes), title="Hi", body=body)


async def send(message: PushMessage, *, guard: AddressGuard | None = None) -> dict[str, str]:
    async with a_client(guard=guard) as client:
        carrier = WebPushes(
            sender=read_sender(read_provider_url(ADDRESS)),
            web=client,
            clock=ManualClock(time=NOW),
            entropy=SeededEntropy(7),
        )
        return dict(await carrier.send(message))


async def test_only_the_browser_can_read_the_message() -> None:
    async with a_web_server(created) as server:
        result = await send(a_message(server))

    [request], [body] = server.requests, server.bodies
    text = http_ece.decrypt(body, private_key=BROWSER, auth_secret=SECRET, version="aes128gcm")
    assert json.loads(text) == {"title": "Hi", "body": "Grüße"}
    assert (request.path, request.headers["Content-Encoding"]) == ("/send/abc", "aes128gcm")
    assert request.headers["TTL"] == "86400"
    assert result == {"service": "127.0.0.1", "id": request.headers["Topic"]}
    assert len(result["id"]) == 32


async def test_the_service_can_tell_who_sends() -> None:
    async with a_web_server(created) as server:
        await send(a_message(server))

    scheme, token, key = server.requests[0].headers["Authorization"].replace(",", "").split(" ")
    public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), from_base64(key.removeprefix("k=")))
    options: Any = {"verify_exp": False}
    claims = jwt.decode(
        token.removeprefix("t="), public, algorithms=["ES256"], audience=server.url, options=options
    )
    assert (scheme, claims["sub"]) == ("vapid", "mailto:ops@example.com")
    assert 0 < claims["exp"] - NOW.timestamp() <= 86_400


async def test_no_two_messages_look_alike_and_their_topic_stays() -> None:
    async with a_web_server(created) as server:
        for _ in range(2):
            await send(a_message(server))

    first, second = server.bodies
    assert first[-20:] != second[-20:]
    assert server.requests[0].headers["Topic"] == server.requests[1].headers["Topic"]


def test_the_example_of_the_standard_comes_out_bit_by_bit() -> None:
    own = derive_private_key(
        int.from_bytes(from_base64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), SECP256R1()
    )

    sealed = encrypt(
        b"When I grow up, I want to be a watermelon",
        browser=from_base64(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        secret=from_base64("BTBZMqHH6r4Tts7J_aSIgg"),
        own=own,
        salt=from_base64("DGv6ra1nlYgDCS1FRnbzlw"),
    )

    assert sealed == urlsafe_b64decode(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, ProviderRefused),
        (410, ProviderRefused),
        (413, ProviderRefused),
        (400, ProviderRefused),
        (403, ProviderUnavailable),
        (429, ProviderUnavailable),
        (500, ProviderUnavailable),
    ],
)
async def test_a_subscription_that_is_over_is_final(status: int, error: type[Exception]) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    async with a_web_server(answer) as server:
        with pytest.raises(error, match=f"answered {status}"):
            await send(a_message(server))


async def test_a_subscription_to_a_private_address_is_not_served() -> None:
    async with a_web_server(created) as server:
        with pytest.raises(ProviderRefused, match="loopback"):
            await send(a_message(server), guard=AddressGuard())

    assert server.requests == []


@pytest.mark.parametrize(
    "changes", [{"p256dh": to_base64(b"\x04" + bytes(64))}, {"p256dh": "%"}, {"auth": "%"}]
)
async def test_keys_that_are_none_are_refused(changes: dict[str, str]) -> None:
    async with a_web_server(created) as server:
        with pytest.raises(ProviderRefused, match="keys are none"):
            await send(a_message(server, **changes))


async def test_a_message_has_a_longest_length() -> None:
    async with a_web_server(created) as server:
        await send(a_message(server, body="x" * 3_966))
        with pytest.raises(ProviderRefused, match="a browser takes 3,993"):
            await send(a_message(server, body="x" * 3_967))

    assert len(server.bodies[0]) == 4_096


@pytest.mark.parametrize(
    "address",
    [
        "webpush://?subject=mailto:ops@example.com",
        "webpush://?private_key=swordfish&subject=mailto:ops@example.com",
        f"webpush://?private_key={to_base64(bytes(32))}&subject=mailto:ops@example.com",
        f"webpush://?private_key={OWN_KEY}",
        f"webpush://?private_key={OWN_KEY}&subject=ops",
        f"webpush://?private_key={OWN_KEY}&subject=mailto:ops@example.com&ttl_s=-1",
        f"webpush://?private_key={OWN_KEY}&subject=mailto:ops@example.com&x=1",
        f"webpush://host?private_key={OWN_KEY}&subject=mailto:ops@example.com",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_its_key(address: str) -> None:
    with pytest.raises(WrongAddress) as refusal:
        read_sender(read_provider_url(address))

    assert OWN_KEY not in str(refusal.value)
    assert "swordfish" not in str(refusal.value)
