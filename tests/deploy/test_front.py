"""What ``deploy/nginx.conf`` does with requests, where processes die over them, and what it passes on."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from attrs import frozen

from jobmill.entrypoints.http.problems import KINDS, MEDIA_TYPE, type_uri
from jobmill.entrypoints.http.query_string import WAIT_S_MAX
from jobmill.entrypoints.http.request_body import BATCH_BYTES_MAX
from jobmill.entrypoints.serving import _KEEP_ALIVE_S

from tests.deploy.clone import API, DEPLOY, here
from tests.deploy.peer import Peer, peer
from tests.examples.nginx import nginx
from tests.servers.ports import free_ports
from tests.servers.waiting import until

KEY = {"Idempotency-Key": '"order-7"'}
A_JOB = "/api/jobs/0199a4c5-2f1e-7c3a-9d00-4a5b6c7d8e9f"
STRANGER = {"Host": "jobmill.example"}


@frozen(kw_only=True)
class Front:
    """nginx in front of two processes: the first request goes to the one that dies over it."""

    http: httpx.AsyncClient
    port: int
    dying: Peer
    living: Peer


@pytest_asyncio.fixture
async def front(tmp_path: Path) -> AsyncGenerator[Front]:
    port, first, second = free_ports(3)
    async with AsyncExitStack() as opened:
        dying = await opened.enter_async_context(peer(first, dies=True))
        living = await opened.enter_async_context(peer(second))
        process = await opened.enter_async_context(
            nginx(
                here(tmp_path, port=port), tmp_path / "nginx", port=port, service=API, behind=(first, second)
            )
        )
        http = await opened.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}"))

        async def refuses_strangers() -> bool:
            """Which asks neither process."""
            try:
                return (await http.get("/", headers=STRANGER)).status_code == httpx.codes.MISDIRECTED_REQUEST
            except httpx.TransportError:
                return False

        assert await until(refuses_strangers, within_s=30, hopeless=lambda: process.has_ended), (
            process.last_words()
        )
        yield Front(http=http, port=port, dying=dying, living=living)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", f"{A_JOB}?wait=60", {}),
        ("POST", "/api/jobs", KEY),
        ("POST", "/jobs", KEY),
    ],
)
async def test_another_process_is_asked_what_may_reach_two(
    front: Front, method: str, path: str, headers: Mapping[str, str]
) -> None:
    answer = await front.http.request(method, path, headers=headers, content=b"x" * 100_000)

    assert answer.status_code == 200
    assert [asked.body_bytes for asked in front.dying.asked] == [100_000]
    assert front.dying.asked == front.living.asked


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/jobs", {}),
        ("/api/jobs", {"Idempotency-Key": ""}),
        ("/api/jobs/batch", KEY),
        (f"{A_JOB}/requeue", KEY),
    ],
)
async def test_no_other_process_is_asked_what_might_then_happen_twice(
    front: Front, path: str, headers: Mapping[str, str]
) -> None:
    answer = await front.http.post(path, headers=headers, content=b"{}")

    _is_a_problem(answer, "unavailable")
    assert answer.headers["retry-after"] == "2"
    assert len(front.dying.asked) == 1
    assert front.living.asked == []


async def test_what_a_process_that_is_gone_never_saw_goes_to_another(front: Front) -> None:
    front.dying.stop()

    answer = await front.http.post("/api/jobs", content=b"{}")

    assert answer.status_code == 200
    assert len(front.living.asked) == 1


async def test_without_any_process_the_answer_is_a_problem_of_jobmill(front: Front) -> None:
    front.dying.stop()
    front.living.stop()

    _is_a_problem(await front.http.post("/api/jobs", headers=KEY, content=b"{}"), "unavailable")
    _is_a_problem(await front.http.get("/api/jobs"), "unavailable")


async def test_who_asks_and_how_is_passed_on_whatever_the_client_says(front: Front) -> None:
    front.dying.dies = False
    lies = {
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Host": "jobmill.example",
    }

    await front.http.get("/", headers={**lies, "X-Request-Id": "0123456789"})
    await front.http.post("/api/jobs", headers={**KEY, **lies, "X-Request-Id": "not one word"})

    [plain], [keyed] = front.dying.asked, front.living.asked
    for asked in (plain, keyed):
        assert asked.headers["x-forwarded-for"] == "127.0.0.1"
        assert asked.headers["x-forwarded-proto"] == "http"
        assert asked.headers["x-forwarded-host"] == asked.headers["host"] == f"127.0.0.1:{front.port}"
    assert plain.headers["x-request-id"] == "0123456789"
    assert re.fullmatch(r"[0-9a-f]{32}", keyed.headers["x-request-id"])
    assert keyed.headers["idempotency-key"] == '"order-7"'


async def test_a_page_that_comes_under_a_name_of_its_own_reaches_nobody(front: Front) -> None:
    answer = await front.http.get("/api/jobs", headers=STRANGER)

    _is_a_problem(answer, "misdirected-request")
    assert front.dying.asked == front.living.asked == []


@pytest.mark.parametrize("path", ["/metrics", "/api/metrics"])
async def test_metrics_are_asked_of_each_process_not_of_whichever_answers(front: Front, path: str) -> None:
    answer = await front.http.get(path)

    _is_a_problem(answer, "not-found")
    assert answer.json()["instance"] == answer.headers["x-request-id"]
    assert front.dying.asked == front.living.asked == []


async def test_more_bytes_than_a_batch_may_have_are_refused_before_they_are_read(front: Front) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    head = (
        f"POST /api/jobs/batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BATCH_BYTES_MAX + 1}\r\n\r\n"
    )
    writer.write(head.encode())
    status, _, rest = (await reader.readuntil(b"}")).decode().partition("\r\n")
    writer.close()

    assert status.split()[1] == "413"
    document = json.loads(rest.partition("\r\n\r\n")[2])
    _is_the_document(document, "too-large")
    assert str(BATCH_BYTES_MAX) in document["detail"]
    assert front.dying.asked == front.living.asked == []


def test_the_bounds_agree_with_those_of_jobmill() -> None:
    assert _bound("client_max_body_size", "m") * 1024 * 1024 == BATCH_BYTES_MAX
    assert WAIT_S_MAX < _bound("proxy_next_upstream_timeout", "s") < _bound("proxy_read_timeout", "s")
    assert _bound("keepalive_timeout", "s") < _KEEP_ALIVE_S


def _bound(directive: str, unit: str) -> int:
    [number] = re.findall(rf"^\s*{directive} (\d+){unit};", (DEPLOY / "nginx.conf").read_text(), re.MULTILINE)
    return int(number)


def _is_a_problem(answer: httpx.Response, code: str) -> None:
    assert answer.status_code == KINDS[code].status
    assert answer.headers["content-type"] == MEDIA_TYPE
    _is_the_document(answer.json(), code)


def _is_the_document(document: Mapping[str, object], code: str) -> None:
    assert set(document) == {"type", "title", "status", "detail", "instance", "code"}
    kind = KINDS[code]
    told = (document["code"], document["type"], document["status"], document["title"])
    assert told == (code, type_uri(code), kind.status, kind.title)
