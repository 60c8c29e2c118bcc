"""Calling a web server: what it receives, and what comes back."""

import asyncio
import gzip
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from jobmill.application.ports.providers import ProviderRefused, ProviderUnavailable, WebAnswer

from tests.integration.providers.certificates import Certificate
from tests.integration.providers.web_calls import Names, a_client, a_request
from tests.integration.providers.web_servers import a_server_that_sends, a_web_server

KIB_64 = 64 * 1024


async def test_the_request_arrives_as_it_was_given() -> None:
    headers = {"content-type": "application/json", "webhook-id": "7", "x-note": "a  b"}

    async with a_web_server() as server, a_client() as client:
        answer = await client.call(a_request(f"{server.url}/a%2Fb?c=%7e&d#e", headers=headers))

    [request] = server.requests
    assert answer == WebAnswer(status=200, body=b"ok")
    assert (request.method, request.raw_path) == ("POST", "/a%2Fb?c=%7e&d")
    assert server.bodies == [b'{"a":1}']
    assert request.headers["Host"] == f"127.0.0.1:{server.port}"
    assert request.headers["User-Agent"] == "jobmill/1.2.3"
    assert headers.items() <= {name.lower(): value for name, value in request.headers.items()}.items()
    assert "Accept-Encoding" not in request.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
async def test_a_request_without_a_body_has_none_and_no_type(method: str) -> None:
    async with a_web_server() as server, a_client() as client:
        await client.call(a_request(server.url, method=method, body=b""))

    [request] = server.requests
    assert (request.method, request.raw_path, server.bodies) == (method, "/", [b""])
    assert "Content-Type" not in request.headers


async def test_own_headers_win_over_the_usual_ones() -> None:
    async with a_web_server() as server, a_client() as client:
        await client.call(a_request(server.url, headers={"user-agent": "shop/7"}))

    assert server.requests[0].headers.getall("User-Agent") == ["shop/7"]


@pytest.mark.parametrize("status", [200, 204, 400, 404, 410, 429, 500, 503])
async def test_any_status_is_an_answer(status: int) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Retry-After": "120"})

    async with a_web_server(answer) as server, a_client() as client:
        said = await client.call(a_request(server.url))

    assert (said.status, said.retry_after) == (status, "120")


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with a_web_server() as secret:

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=307, headers={"Location": secret.url})

        async with a_web_server(answer) as server, a_client() as client:
            said = await client.call(a_request(server.url))

    assert said.status == 307
    assert secret.requests == []


async def test_calls_share_connections_but_no_cookies() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(headers={"Set-Cookie": "session=1"})

    async with a_web_server(answer) as server, a_client() as client:
        for _ in range(5):
            await client.call(a_request(server.url))

    assert len(server.connections) == 1
    assert all("Cookie" not in request.headers for request in server.requests)


@pytest.mark.parametrize("size", [0, 1, KIB_64 - 1, KIB_64, KIB_64 + 1, 4 * 1024 * 1024])
async def test_at_most_64_kib_of_an_answer_are_read(size: int) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * size)

    async with a_web_server(answer) as server, a_client() as client:
        said = await client.call(a_request(server.url))
        again = await client.call(a_request(server.url))

    assert said.body_bytes == again.body_bytes == min(size, KIB_64)
    if size <= KIB_64:
        assert len(server.connections) == 1


async def test_a_connection_with_more_to_say_is_closed() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=bytes(8 * 1024 * 1024))

    async with a_web_server(answer) as server, a_client() as client:
        for _ in range(3):
            await client.call(a_request(server.url))

    assert len(server.connections) == 3


async def test_a_packed_answer_is_not_unpacked() -> None:
    packed = gzip.compress(bytes(8 * 1024 * 1024))

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async with a_web_server(answer) as server, a_client() as client:
        said = await client.call(a_request(server.url))

    assert said.body_bytes == len(packed)


async def test_an_answer_without_end_is_cut_off() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"

    async with a_server_that_sends(head, *[chunk] * 8, then_hangs=True) as url, a_client() as client:
        said = await client.call(a_request(url))

    assert said == WebAnswer(status=200, body=b"x" * KIB_64)


@pytest.mark.parametrize(
    "pieces",
    [(), (b"HTTP/1.1 200 OK\r\nContent-Le",), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"half")],
    ids=["nothing", "half a head", "half a body"],
)
async def test_a_server_that_falls_silent_is_not_waited_for(pieces: tuple[bytes, ...]) -> None:
    async with a_server_that_sends(*pieces, then_hangs=True) as url, a_client(total_s=0.1) as client:
        with pytest.raises(ProviderUnavailable, match=r"did not answer in time \(2 s to connect, 0\.1 s"):
            await client.call(a_request(url))


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"HTTP/1.1 200 OK\r\nContent-Le",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"half"),
        (b"220 mail.example.com ESMTP\r\n",),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",),
    ],
    ids=["nothing", "half a head", "half a body", "another protocol", "a head without end"],
)
async def test_a_server_that_breaks_off_may_do_better_later(pieces: tuple[bytes, ...]) -> None:
    async with a_server_that_sends(*pieces) as url, a_client() as client:
        with pytest.raises(ProviderUnavailable, match=r"^127\.0\.0\.1:\d+ broke off: "):
            await client.call(a_request(url))


async def test_where_nobody_listens_somebody_may_later(unused_tcp_port: int) -> None:
    async with a_client() as client:
        with pytest.raises(ProviderUnavailable, match=f"no connection to 127.0.0.1:{unused_tcp_port}"):
            await client.call(a_request(f"http://127.0.0.1:{unused_tcp_port}/secret"))


async def test_a_name_that_nobody_knows_may_be_known_later() -> None:
    async with a_client(names=Names()) as client:
        with pytest.raises(ProviderUnavailable, match=r"no connection to hooks\.example: .*no such name"):
            await client.call(a_request("http://hooks.example/"))


async def test_a_call_that_never_left_is_in_no_doubt() -> None:
    class Slow(Names):
        async def resolve(self, *_: Any, **__: Any) -> list[ResolveResult]:
            await asyncio.get_running_loop().create_future()
            return []

    async with a_client(names=Slow(), total_s=0.1) as client:
        with pytest.raises(ProviderUnavailable, match="did not answer in time") as late:
            await client.call(a_request("http://hooks.example/"))

    assert not late.value.in_doubt


@pytest.mark.parametrize("host", ["a..example", ".", "x" * 64 + ".example"])
async def test_a_name_that_cannot_be_one_is_refused(host: str) -> None:
    async with a_client() as client:
        with pytest.raises(ProviderRefused, match="no host name"):
            await client.call(a_request(f"http://{host}/"))


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(certificate: Certificate) -> None:
    async with a_web_server(tls=certificate.for_a_server()) as server, a_client() as client:
        with pytest.raises(ProviderUnavailable, match="certificate"):
            await client.call(a_request(f"https://localhost:{server.port}/"))

    assert server.requests == []


async def test_calls_beyond_the_pool_wait_for_a_place() -> None:
    gate = asyncio.Event()
    arrived = asyncio.Semaphore(0)

    async def answer(_: web.Request) -> web.StreamResponse:
        arrived.release()
        await gate.wait()
        return web.Response()

    async with a_web_server(answer) as server, a_client(connections_max=2) as client:
        calls = [asyncio.create_task(client.call(a_request(server.url))) for _ in range(6)]
        await arrived.acquire()
        await arrived.acquire()
        at_once = len(server.requests)
        gate.set()
        await asyncio.gather(*calls)

    assert (at_once, len(server.requests), len(server.connections)) == (2, 6, 2)


async def test_waiting_for_a_place_is_not_the_servers_time() -> None:
    never = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/stuck":
            await never.wait()
        return web.Response()

    async with a_web_server(answer) as server, a_client(connections_max=1, total_s=0.3) as client:
        stuck = asyncio.create_task(client.call(a_request(f"{server.url}/stuck")))
        behind = asyncio.create_task(client.call(a_request(server.url)))
        await asyncio.wait([stuck, behind])

    assert isinstance(stuck.exception(), ProviderUnavailable)
    assert behind.exception() is None


async def test_a_call_that_is_cancelled_gives_its_place_back() -> None:
    arrived, gate = asyncio.Event(), asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        arrived.set()
        await gate.wait()
        return web.Response()

    async with a_web_server(answer) as server, a_client(connections_max=1) as client:
        call = asyncio.create_task(client.call(a_request(server.url)))
        await arrived.wait()
        call.cancel()
        await asyncio.wait([call])
        gate.set()

        assert (await client.call(a_request(server.url))).status == 200
    assert call.cancelled()
