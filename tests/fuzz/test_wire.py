"""Bytes that are no HTTP, or too much of it, sent to a real process: no 5xx, no hang, no growth."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final

import httpx
import pytest
import pytest_asyncio

from tests.e2e.mill import Mill, running_mill, submit
from tests.fuzz.conftest import Tried
from tests.fuzz.strategies import damage
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

CASES: Final = 600
AT_ONCE: Final = 25
IDLE_CONNECTIONS: Final = 1_500
#: A client that has no answer by then hangs.
ANSWER_WITHIN_S: Final = 40.0
MIB: Final = 1024 * 1024
#: What a second round may add: less than the batches of one round, of which nothing may stay.
GROWTH_MAX_BYTES: Final = 100 * MIB

BODY: Final = b'{"type":"simulate","payload":{"duration_s":0}}'
POST: Final = b"POST /api/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
REQUESTS: Final = (
    b"GET /api/jobs?limit=2&status=queued HTTP/1.1\r\nhost: localhost\r\n\r\n",
    POST + b"content-length: %d\r\n\r\n" % len(BODY) + BODY,
    POST + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\nGET /api/types HTTP/1.1\r\nhost: localhost\r\n\r\n",
    POST.replace(b"/api/jobs", b"/api/jobs/01a20978-c9ad-71a6-9b28-cf3809e168a2/requeue") + b"\r\n",
)
HAND_MADE: Final = (
    b"\x00" * 100,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x42" * 500,
    b"AMQP\x00\x00\x09\x01",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /api/jobs/%ff%fe HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /api/jobs?type=%ff%00 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /api/jobs?\xff\xfe HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /\xc3\xa9 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET http://localhost/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET localhost HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"CONNECT localhost:80 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: \x00\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    b"GET / HTTP/1.1\nhost: localhost\n\n",
    b"GET / HTTP/1.1\r\nhost: localhost\r\n folded\r\n\r\n",
    POST + b"content-length: 5\r\ncontent-length: 6\r\n\r\n{}   ",
    POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    POST + b"content-length: -1\r\n\r\n",
    POST + b"content-length: 1e3\r\n\r\n",
    POST + b"content-length: 99999999999999999999999\r\n\r\n",
    POST + b"content-length: 18446744073709551615\r\n\r\n{",
    POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    POST + b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    POST + b"transfer-encoding: chunked\r\n\r\n5\r\n{}\r\n0\r\n\r\n",
    POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    POST + b"transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    POST + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\n{}",
    POST + b"connection: upgrade\r\nupgrade: websocket\r\n\r\n",
    POST + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n",
    POST + b"expect: the-impossible\r\ncontent-length: 2\r\n\r\n{}",
    POST + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00",
    POST + b"content-type: text/plain\r\ncontent-length: 2\r\n\r\n{}",
    POST + b"cookie: " + b"a=b; " * 2_000 + b"\r\ncontent-length: 2\r\n\r\n{}",
    POST + b"idempotency-key: \xff\xfe\r\ncontent-length: 2\r\n\r\n{}",
    POST + b"x-request-id: \x1b[31m\r\ncontent-length: 2\r\n\r\n{}",
    b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n" * 2_000,
    b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"a: b\r\n" * 190 + b"\r\n",
)
#: Each goes on without end; the server must hang up long before this much is sent. It is far more than the
#: system's own buffers take on their way, several megabytes, which nobody has read.
ENDLESS_BYTES: Final = 64 * MIB
ENDLESS: Final = {
    "a request line": (b"GET /", b"a" * 8192),
    "a header": (b"GET / HTTP/1.1\r\nhost: localhost\r\na: ", b"b" * 8192),
    "headers": (b"GET / HTTP/1.1\r\nhost: localhost\r\n", b"a: b\r\n" * 1024),
    "a chunk's extension": (POST + b"transfer-encoding: chunked\r\n\r\n1;", b"a" * 8192),
    "a trailer": (POST + b"transfer-encoding: chunked\r\n\r\n0\r\na: ", b"b" * 8192),
    "trailers": (POST + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 1024),
    "blank lines": (b"", b"\r\n" * 4096),
}


@pytest_asyncio.fixture
async def mill(tmp_path: Path) -> AsyncGenerator[Mill]:
    [port] = free_ports(1)
    async with running_mill(tmp_path, port, {"JOBMILL_LOG": "error"}) as started:
        yield started


async def test_hostile_bytes_do_not_hurt_those_who_ask_in_order(
    mill: Mill, tried: Tried, factor: int
) -> None:
    process = mill.start("up")
    await mill.serves(process)
    cases = [*HAND_MADE, *(damage(Random(seed), REQUESTS) for seed in range(CASES * factor))]

    await _round(mill, cases[: len(HAND_MADE) + 100])
    before = _memory_bytes(process)
    await _round(mill, cases)
    grown = _memory_bytes(process) - before

    assert grown < GROWTH_MAX_BYTES, f"grown by {grown // MIB} MiB"
    assert "Traceback" not in process.log.read_text()
    tried(len(cases) + len(ENDLESS) + len(list(_hostile_batches())))


async def _round(mill: Mill, cases: Sequence[bytes]) -> None:
    """Everything hostile at once, and a client who is served all the while."""
    async with httpx.AsyncClient(base_url=mill.url, timeout=ANSWER_WITHIN_S) as client:
        hostile = asyncio.gather(
            _all_cases(mill, cases),
            *(_is_cut_off(mill, *parts) for parts in ENDLESS.values()),
            *(_is_refused(mill, batch) for batch in _hostile_batches()),
            _idle(mill),
        )
        while not hostile.done():
            job = await submit(client, "simulate", {"duration_s": 0})
            assert (await client.get(f"/api/jobs/{job['id']}")).status_code == httpx.codes.OK
            assert (await client.get("/health/live")).status_code == httpx.codes.OK
            await asyncio.wait({hostile}, timeout=0.05)
        await hostile


async def _all_cases(mill: Mill, cases: Sequence[bytes]) -> None:
    """Some clients wait for an answer, some leave at once, as the number of the case says."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(at: int, raw: bytes) -> None:
        async with turn:
            answer = await _answer_to(mill, raw, waits=at % 3 > 0)
            statuses = re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)
            assert all(status < b"500" for status in statuses), (raw[:300], answer[:300])

    await asyncio.gather(*(one(at, raw) for at, raw in enumerate(cases)))


async def _answer_to(mill: Mill, raw: bytes, *, waits: bool) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", mill.port)
    try:
        writer.write(raw)
        answer = b""
        if waits:
            try:
                async with asyncio.timeout(0.5):
                    answer = await reader.read(65_536)
            except TimeoutError:
                pass  # it waits for the rest, as it should
        writer.write_eof()
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return answer + await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def _is_cut_off(mill: Mill, start: bytes, more: bytes) -> None:
    """Send without end; being refused or hung up on is the only way out."""
    reader, writer = await asyncio.open_connection("127.0.0.1", mill.port)
    sent = 0
    try:
        writer.write(start)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while sent < ENDLESS_BYTES and not reader.at_eof():
                writer.write(more)
                await writer.drain()
                sent += len(more)
                await asyncio.sleep(0)
            answer = await reader.read()
        assert sent < ENDLESS_BYTES or b" 400 " in answer[:20], (start, answer[:100])
    except ConnectionError:
        assert sent < ENDLESS_BYTES, start
    finally:
        writer.close()


async def _is_refused(mill: Mill, batch: bytes) -> None:
    async with httpx.AsyncClient(base_url=mill.url, timeout=ANSWER_WITHIN_S) as client:
        answer = await client.post(
            "/api/jobs/batch", content=batch, headers={"content-type": "application/json"}
        )
        assert answer.status_code in {400, 413}, answer.text[:300]


def _hostile_batches() -> Iterator[bytes]:
    """Fifteen megabytes each, made to be slow to read."""
    whole = 15 * MIB

    def one_job(inside: bytes) -> bytes:
        return b'{"jobs":[{"type":"simulate","payload":{"a":' + inside + b"}}]}"

    job = json.dumps({"type": "simulate", "payload": {"a": [1] * 5_000}}, separators=(",", ":")).encode()
    yield one_job(b"[" + b"1," * (whole // 2 - 100) + b"1]")
    yield one_job(b'"' + b"\\u00e9" * (whole // 6 - 100) + b'"')
    yield one_job(b'"' + b"\\ud800" * (whole // 6 - 100) + b'"')
    yield one_job(b"{" + b",".join(b'"%d":0' % at for at in range(1_000_000)) + b"}")
    yield one_job(b"[" * 1_000_000)
    yield one_job(b"9" * whole)
    yield b'{"jobs":[' + b"[]," * (whole // 3 - 100) + b"0]}"
    yield b'{"jobs":[' + b",".join([job] * 1_000) + b"]}"
    yield b"{" + b",".join(b'"%d":0' % at for at in range(1_000_000)) + b"}"
    yield b" " * whole


async def _idle(mill: Mill) -> None:
    """Clients who connect and say nothing, all at the same time."""
    connected = [await asyncio.open_connection("127.0.0.1", mill.port) for _ in range(IDLE_CONNECTIONS)]
    for _, writer in connected:
        writer.close()


def _memory_bytes(process: ServerProcess) -> int:
    """How much the process holds, where the system tells."""
    if sys.platform != "linux":
        return 0
    resident = Path(f"/proc/{process.pid}/status").read_text().partition("VmRSS:")[2].split()[0]
    return int(resident) * 1024
