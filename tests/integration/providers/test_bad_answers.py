"""Whatever a provider answers ends in the right class of failure, and gives no secret away."""

import logging
from base64 import b64encode
from pathlib import Path
from typing import Final

import pytest
from attrs import frozen

from jobmill.application.open_guard import OpenGuard
from jobmill.application.ports.providers import Carrier, ProviderRefused, ProviderUnavailable
from jobmill.application.provider_limits import OnOpen
from jobmill.application.shipped.provider_chain import Choice, OnDoubt, ProviderChain
from jobmill.application.verdicts import verdict_on

from tests.integration.providers.carriers import KINDS, SECRET, Send, a_carrier
from tests.integration.providers.web_servers import a_server_that_sends

REFUSED, SURE, DOUBT, BUSY = "refused", "not taken", "in doubt", "busy"
_HUGE: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 4_000_000


def _answer(status: str, body: bytes = b"", headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status.encode(), headers, len(body), body)


@frozen
class Case:
    """What the server sends, whether it then hangs, and what that means; None for a success of Web Push,
    whose answers have no body to judge by."""

    sends: bytes
    means: str
    hangs: bool = False
    says_nothing: bool = False


CASES: Final = {
    "hangs up at once": Case(b"", DOUBT),
    "never answers": Case(b"", DOUBT, hangs=True),
    "half a head": Case(b"HTTP/1.1 201 Cre", DOUBT),
    "half a body": Case(b"HTTP/1.1 201 C\r\nContent-Length: 99\r\n\r\n{", DOUBT),
    "a body that never ends": Case(b"HTTP/1.1 201 C\r\nContent-Length: 99\r\n\r\n{", DOUBT, hangs=True),
    "another protocol": Case(b"220 smtp ready\r\n", DOUBT),
    "garbage": Case(_answer("200 OK", b"\xff\xfe<html>"), DOUBT, says_nothing=True),
    "another's JSON": Case(_answer("200 OK", b'{"ok": true}'), DOUBT, says_nothing=True),
    "deep JSON": Case(_answer("200 OK", b"[" * 60_000), DOUBT, says_nothing=True),
    "a huge body": Case(_HUGE, DOUBT, says_nothing=True),
    "a redirect": Case(_answer("307 T", headers=b"Location: http://127.0.0.1:1/\r\n"), SURE),
    "400": Case(_answer("400 Bad Request", b"{}"), REFUSED),
    "401": Case(_answer("401 Unauthorized"), SURE),
    "403": Case(_answer("403 Forbidden"), SURE),
    "408": Case(_answer("408 Request Timeout"), SURE),
    "422": Case(_answer("422 What", b"[]"), REFUSED),
    "429": Case(_answer("429 Too Many Requests"), BUSY),
    "429 with a wait": Case(_answer("429 T", headers=b"Retry-After: 7\r\n"), BUSY),
    "500": Case(_answer("500 Internal Server Error", b"oh"), DOUBT),
    "502": Case(_answer("502 Bad Gateway"), DOUBT),
    "503": Case(_answer("503 Service Unavailable"), SURE),
    "503 with a wait": Case(_answer("503 S", headers=b"Retry-After: 7\r\n"), BUSY),
    "599": Case(_answer("599 Whatever"), DOUBT),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
async def test_an_answer_means_what_it_should(kind: str, case: str, tmp_path: Path) -> None:
    asked = CASES[case]
    async with (
        a_server_that_sends(asked.sends, then_hangs=asked.hangs) as url,
        a_carrier(kind, url, tmp_path, total_s=0.2 if asked.hangs else 5.0) as send,
    ):
        means = await _meaning(send)

    assert means == ("taken" if kind == "webpush" and asked.says_nothing else asked.means)


@pytest.mark.parametrize("kind", KINDS)
async def test_where_nobody_listens_nothing_was_taken(
    kind: str, tmp_path: Path, unused_tcp_port: int
) -> None:
    async with a_carrier(kind, f"http://127.0.0.1:{unused_tcp_port}", tmp_path) as send:
        assert await _meaning(send) == SURE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", ["200 OK", "400 Bad", "401 No", "429 Busy", "500 Oh", "garbage"])
async def test_a_server_that_repeats_our_secrets_gives_them_to_nobody(
    kind: str, status: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    login = b64encode(f"AC1:{SECRET}".encode())
    words = (
        f'{{"message": "{SECRET}", "code": "{SECRET}", "sid": "{SECRET} ", "name": "{SECRET}\\n"}}'.encode()
    )
    head = b"X-Login: " + login + b"\r\nLocation: http://" + SECRET.encode() + b"/\r\n"
    sends = SECRET.encode() + login if status == "garbage" else _answer(status, words + login, head)
    caplog.set_level(logging.DEBUG)
    async with a_server_that_sends(sends) as url, a_carrier(kind, url, tmp_path) as send:
        told = await _all_that_is_told(send)

    for text in (told, caplog.text):
        assert SECRET not in text
        assert login.decode() not in text


async def _meaning(send: Send) -> str:
    try:
        await send()
    except ProviderRefused:
        return REFUSED
    except ProviderUnavailable as error:
        if error.in_doubt:
            return DOUBT
        return BUSY if error.is_busy else SURE
    return "taken"


async def _all_that_is_told(send: Send) -> str:
    """Result, error and stack, as they would be stored with the job."""

    class Carrying(Carrier[None]):
        async def send(self, _message: None, /) -> dict[str, str]:
            return dict(await send())

    choice = Choice(name="it", carrier=Carrying(), on_open=OnOpen.WAIT, on_doubt=OnDoubt.RETRY)
    chain = ProviderChain(choices=(choice,), guard=OpenGuard())
    try:
        return repr(await chain.send(None, attempt=1))
    except Exception as error:  # noqa: BLE001 - the test looks at whatever it is
        return repr(verdict_on(error)) + repr(getattr(verdict_on(error), "stack", ""))
