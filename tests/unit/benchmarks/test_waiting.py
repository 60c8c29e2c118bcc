"""A process is waited for until it says that it is ready, and not for ever."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from benchmarks.bench import free_port
from benchmarks.children import Failed
from benchmarks.waiting import answers, is_ready, until

Serve = Callable[[bytes], Awaitable[int]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve one answer to everybody, and return the port."""
    servers: list[asyncio.Server] = []

    async def start(answer: bytes) -> int:
        async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            await writer.drain()
            writer.close()

        servers.append(await asyncio.start_server(reply, "127.0.0.1", 0))
        return int(servers[-1].sockets[0].getsockname()[1])

    yield start
    for each in servers:
        each.close()


async def test_a_process_that_is_ready_says_so(serve: Serve) -> None:
    assert await is_ready(await serve(b"HTTP/1.1 200 OK\r\n\r\n"))


async def test_one_that_serves_and_is_not_ready_is_not(serve: Serve) -> None:
    port = await serve(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")

    assert await answers(port)
    assert not await is_ready(port)


async def test_where_nobody_listens_nobody_is_ready() -> None:
    port = free_port()

    assert not await answers(port)
    assert not await is_ready(port)


async def test_what_does_not_come_is_said() -> None:
    async def never() -> bool:
        return False

    with pytest.raises(Failed, match=r"the first job: not within 0\.01 s"):
        await until(never, within_s=0.01, what="the first job", step_s=0.001)
