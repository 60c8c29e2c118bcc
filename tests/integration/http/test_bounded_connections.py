"""What a client may send before anybody reads it is bounded, and so is the time it may take."""

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from jobmill.entrypoints.http import connection
from jobmill.entrypoints.serving import bind, serve
from jobmill.entrypoints.settings import Settings

from tests.servers.ports import free_ports
from tests.unit.entrypoints.http.api_world import ApiWorld

LIVE = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"
POST = b"POST /api/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest_asyncio.fixture
async def port() -> AsyncGenerator[int]:
    """Where the application is served as a process serves it."""
    [free] = free_ports(1)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(ApiWorld().app, bind(Settings(port=free)), stop=stop))
    yield free
    stop.set()
    await serving


async def connect(port: int, first: bytes = b"") -> Client:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)
    await writer.drain()
    return reader, writer


async def whole_answer(client: Client) -> bytes:
    """All that comes until the server hangs up, in whatever way it does."""
    reader, writer = client
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def is_served(client: Client) -> bool:
    reader, writer = client
    writer.write(LIVE)
    answer = await reader.readuntil(b"}")
    return answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("start", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: local", b"\r\n"])
async def test_a_client_that_never_finishes_its_head_is_hung_up_on(
    port: int, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN_S", 0.05)

    assert await whole_answer(await connect(port, start)) == b""


async def test_a_second_request_has_its_deadline_too(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN_S", 0.05)
    client = await connect(port)
    assert await is_served(client)

    client[1].write(b"GET /")

    assert await whole_answer(client) == b""


async def test_a_body_that_never_ends_is_hung_up_on(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BODY_WITHIN_S", 0.05)

    assert await whole_answer(await connect(port, POST + b'content-length: 100\r\n\r\n{"')) == b""


async def test_a_client_between_two_requests_has_no_deadline_of_these(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN_S", 0.05)
    monkeypatch.setattr(connection, "BODY_WITHIN_S", 0.05)
    client = await connect(port)
    assert await is_served(client)

    await asyncio.sleep(0.2)

    assert await is_served(client)
    client[1].close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"NO HTTP\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"a: b\r\n" * (connection.HEADERS_MAX + 1) + b"\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\na: " + b"b" * (connection.HEAD_BYTES_MAX + 1),
        POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_cannot_be_read_is_refused_with_a_problem(port: int, request_bytes: bytes) -> None:
    head, _, body = (await whole_answer(await connect(port, request_bytes))).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["code"] == "bad-request"


async def test_a_trailer_without_end_is_hung_up_on(port: int) -> None:
    reader, writer = await connect(port, POST + b"transfer-encoding: chunked\r\n\r\n0\r\na: ")

    writer.write(b"b" * 1_000_000)

    assert b"200" not in await whole_answer((reader, writer))
    assert await is_served(await connect(port))


async def test_a_whole_request_before_garbage_is_answered_first(port: int) -> None:
    answer = await whole_answer(await connect(port, LIVE + b"\x00garbage\r\n\r\n"))

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_as_many_headers_as_are_allowed_are_read(port: int) -> None:
    many = b"a: b\r\n" * (connection.HEADERS_MAX - 1)

    reader, writer = await connect(port, LIVE.removesuffix(b"\r\n") + many + b"\r\n")

    assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_a_client_too_many_is_turned_away_until_another_leaves(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECTIONS_MAX", 1)
    first = await connect(port)
    assert await is_served(first)

    turned_away = await whole_answer(await connect(port))

    assert turned_away.startswith(b"HTTP/1.1 503 ")
    assert await is_served(first)
    first[1].close()
