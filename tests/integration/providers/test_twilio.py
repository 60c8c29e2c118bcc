"""Texts and calls by Twilio's protocol, as Twilio's own library speaks it."""

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from aiohttp import web
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from jobmill.adapters.memory.clocks import ManualClock
from jobmill.adapters.twilio import TwilioCalls, TwilioTexts, read_account
from jobmill.application.errors import WrongAddress
from jobmill.application.ports.providers import PhoneCall, ProviderRefused, ProviderUnavailable, TextMessage
from jobmill.application.provider_urls import read_provider_url

from tests.builders import NOW
from tests.integration.providers.web_calls import a_client
from tests.integration.providers.web_servers import WebServer, a_web_server

SID, TOKEN, SENDER, NUMBER = "AC" + "7" * 32, "swordfish", "+15550100999", "+15550100123"
TEXT_SID, CALL_SID = "SM" + "a" * 32, "CA" + "b" * 32
TEXT = TextMessage(key="k", recipient=NUMBER, body="Grüße & more")
CALL = PhoneCall(key="k", recipient=NUMBER, call_id="c-7", words="<Hi & bye>")


def an_address(server: WebServer | None = None, *, sender: str = SENDER, options: str = "") -> str:
    base = "" if server is None else f"&base_url={quote(server.url, safe='')}"
    return f"twilio://{SID}:{TOKEN}@api.twilio.com?from={sender}{base}{options}"


async def accepting(request: web.Request) -> web.StreamResponse:
    is_call = request.path.endswith("/Calls.json")
    return web.json_response({"sid": CALL_SID if is_call else TEXT_SID, "status": "queued"}, status=201)


def form_of(server: WebServer) -> dict[str, str]:
    return dict(parse_qsl(server.bodies[-1].decode()))


class Library(HttpClient):  # type: ignore[misc]
    """Twilio's own library, with its requests written down and answered as our server answers."""

    def __init__(self, sid: str) -> None:
        self.sid = sid
        self.path = ""
        self.form: dict[str, str] = {}
        self.login: tuple[str, str] | None = None

    def request(self, method: str, url: str, *more: Any, **named: Any) -> Response:
        self.path = url.removeprefix("https://api.twilio.com")
        self.form, self.login = named["data"], named["auth"]
        return Response(201, f'{{"sid": "{self.sid}", "status": "queued"}}')


async def send(server: WebServer, message: TextMessage | PhoneCall, **wishes: str) -> dict[str, str]:
    is_call = isinstance(message, PhoneCall)
    account = read_account(read_provider_url(an_address(server, **wishes)), calls=is_call)
    async with a_client() as client:
        clock = ManualClock(time=NOW)
        if isinstance(message, PhoneCall):
            return dict(await TwilioCalls(account=account, web=client, clock=clock).send(message))
        return dict(await TwilioTexts(account=account, web=client, clock=clock).send(message))


async def test_a_text_is_the_very_request_that_the_library_makes() -> None:
    library = Library(TEXT_SID)
    made = Client(SID, TOKEN, http_client=library).messages.create(to=NUMBER, from_=SENDER, body=TEXT.body)

    async with a_web_server(accepting) as server:
        result = await send(server, TEXT)

    [request] = server.requests
    assert result == {"id": made.sid} == {"id": TEXT_SID}
    assert (request.method, request.path) == ("POST", library.path)
    assert form_of(server) == library.form
    login = b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
    assert library.login == tuple(login.split(":"))


async def test_a_call_is_the_very_request_that_the_library_makes_and_its_words_are_escaped() -> None:
    library = Library(CALL_SID)
    twiml = "<Response><Say>&lt;Hi &amp; bye&gt;</Say></Response>"
    made = Client(SID, TOKEN, http_client=library).calls.create(to=NUMBER, from_=SENDER, twiml=twiml)

    async with a_web_server(accepting) as server:
        result = await send(server, CALL)

    assert result == {"id": made.sid} == {"id": CALL_SID}
    assert server.requests[0].path == library.path
    assert form_of(server) == library.form


async def test_a_call_without_words_says_what_the_address_names() -> None:
    silent = PhoneCall(key="k", recipient=NUMBER, call_id="c-7")

    async with a_web_server(accepting) as server:
        await send(server, silent, options="&twiml_url=https%3A%2F%2Fshop.example%2Fhello")
        with pytest.raises(ProviderRefused, match="nothing to say in this call: give the job a message"):
            await send(server, silent)

    assert form_of(server)["Url"] == "https://shop.example/hello"
    assert len(server.requests) == 1


async def test_texts_may_be_sent_by_a_group_of_senders() -> None:
    async with a_web_server(accepting) as server:
        await send(server, TEXT, sender="MG" + "c" * 32)

    assert form_of(server)["MessagingServiceSid"] == "MG" + "c" * 32
    assert "From" not in form_of(server)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, 21211, ProviderRefused),  # not a valid number
        (400, 21610, ProviderRefused),  # the recipient wants no more
        (400, 21408, ProviderUnavailable),  # the account may not send to that region
        (400, 21606, ProviderUnavailable),  # the account's own number cannot send
        (401, 20003, ProviderUnavailable),
        (404, 20404, ProviderUnavailable),
    ],
)
async def test_what_is_about_the_account_is_worth_another_provider(
    status: int, code: int, error: type[Exception]
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"code": code, "message": f"no, {TOKEN}"}, status=status)

    async with a_web_server(answer) as server:
        with pytest.raises(error, match=f"answered {status} .*, code {code}") as refusal:
            await send(server, TEXT)

    assert TOKEN not in str(refusal.value)


@pytest.mark.parametrize(
    "address",
    [
        f"twilio://{SID}@api.twilio.com?from={SENDER}",
        f"twilio://:{TOKEN}@api.twilio.com?from={SENDER}",
        f"twilio://{SID}:{TOKEN}@?from={SENDER}",
        f"twilio://{SID}:{TOKEN}@api.twilio.com",
        f"twilio://{SID}:{TOKEN}@api.twilio.com?from=shop",
        f"twilio://{SID}:{TOKEN}@api.twilio.com/x?from={SENDER}",
        f"twilio://{SID}:{TOKEN}@api.twilio.com:0?from={SENDER}",
        f"twilio://{SID}:{TOKEN}@[::1?from={SENDER}",
        f"twilio://{SID}:{TOKEN}@api.twilio.com?from={SENDER}&form=1",
        f"twilio://{SID}:{TOKEN}@api.twilio.com?from={SENDER}&{TOKEN}%3a=1",
        f"twilio://{SID}:{TOKEN}@api.twilio.com?from={SENDER}&base_url=ftp://x",
        f"twilio://{SID}:{TOKEN}@api.twilio.com?from={SENDER}&twiml_url=https://u:{TOKEN}@x",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_its_token(address: str) -> None:
    with pytest.raises(WrongAddress) as refusal:
        read_account(read_provider_url(address), calls=True)

    assert TOKEN not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_an_address_and_its_account_are_shown_without_the_token() -> None:
    url = read_provider_url(an_address())

    assert TOKEN not in repr(url) + repr(read_account(url, calls=False))
