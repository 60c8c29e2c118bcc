"""What every request meets first, and every answer carries."""

import asyncio
from typing import Any

import pytest
from litestar.types import Message, Receive, Scope, Send

from jobmill.entrypoints.http.guard import Guard

from tests.unit.entrypoints.http.api_world import ApiWorld, an_email, problem


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:3000", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:3000", "[::1]:3000", "[::1]"],
)
async def test_the_names_of_this_machine_are_served(api: ApiWorld, host: str) -> None:
    answer = await api.get("/health/live", headers={"host": host})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil",
        "[::2]",
        "",
        "localhost:3000:1",
    ],
)
@pytest.mark.parametrize("path", ["/api/jobs", "/docs", "/nowhere"])
async def test_a_page_that_points_its_own_name_here_is_refused(api: ApiWorld, host: str, path: str) -> None:
    answer = await api.get(path, headers={"host": host})

    assert problem(answer) == (421, "misdirected-request")


async def test_two_names_must_both_be_this_machines(api: ApiWorld) -> None:
    async with api.client() as client:
        answer = await client.get("/health/live", headers=[("host", "localhost"), ("host", "evil.example")])

    assert problem(answer) == (421, "misdirected-request")


async def test_where_others_may_connect_any_name_is_served() -> None:
    answer = await ApiWorld(is_local=False).get("/health/live", headers={"host": "jobs.example.com"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/jobs", "/nowhere", "/docs", "/docs/swagger-ui.css", "/openapi.json", "/"]
)
async def test_every_answer_tells_browsers_to_be_careful(api: ApiWorld, path: str) -> None:
    answer = await api.get(path)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_every_request_has_an_id_of_its_own(api: ApiWorld) -> None:
    first, second = await api.get("/api/jobs"), await api.get("/api/jobs")

    assert len(first.headers["x-request-id"]) == 36
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_a_proxys_id_is_kept(api: ApiWorld) -> None:
    answer = await api.get("/nowhere", headers={"x-request-id": "trace-0123456789"})

    assert answer.headers["x-request-id"] == "trace-0123456789"
    assert answer.json()["instance"] == "trace-0123456789"


@pytest.mark.parametrize("given", ["short", "with space in it", "x" * 65, "<script>alert</script>"])
async def test_an_id_that_does_not_belong_in_a_log_is_replaced(api: ApiWorld, given: str) -> None:
    answer = await api.get("/health/live", headers={"x-request-id": given})

    assert answer.headers["x-request-id"] != given


async def test_answers_about_jobs_are_kept_by_nobody(api: ApiWorld) -> None:
    for path in ("/api/jobs", "/api/jobs/17", "/api/types"):
        assert (await api.get(path)).headers["cache-control"] == "no-store"


FOREIGN_PAGES = [
    [("origin", "https://evil.example")],
    [("origin", "http://localhost:8000")],
    [("origin", "http://localhost")],
    [("origin", "null")],
    [("origin", "")],
    [("origin", "http://localhost:3000"), ("origin", "https://evil.example")],
    [("origin", "http://localhost:3000"), ("sec-fetch-site", "cross-site")],
    [("sec-fetch-site", "same-site")],
    [("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
]
OWN_PAGES_AND_PROGRAMS = [
    [],
    [("origin", "http://localhost:3000")],
    [("origin", "HTTP://LOCALHOST:3000")],
    [("origin", "http://localhost:3000"), ("sec-fetch-site", "same-origin")],
    [("origin", "https://behind.a.proxy.example"), ("sec-fetch-site", "same-origin")],
    [("sec-fetch-site", "none")],
]


@pytest.mark.parametrize("headers", FOREIGN_PAGES)
async def test_a_page_of_another_origin_changes_nothing(
    api: ApiWorld, headers: list[tuple[str, str]]
) -> None:
    job = await api.submits()

    async with api.client() as client:
        refused = await client.post(f"/api/jobs/{job['id']}/cancel", headers=headers)

    assert problem(refused) == (403, "foreign-origin")
    assert (await api.get(f"/api/jobs/{job['id']}")).json()["status"] == "queued"


@pytest.mark.parametrize("is_local", [True, False])
@pytest.mark.parametrize("headers", OWN_PAGES_AND_PROGRAMS)
async def test_own_pages_and_programs_may_change_things(
    headers: list[tuple[str, str]], is_local: bool
) -> None:
    api = ApiWorld(is_local=is_local)
    job = await api.submits()

    async with api.client() as client:
        cancelled = await client.post(f"/api/jobs/{job['id']}/cancel", headers=headers)

    assert cancelled.json()["status"] == "cancelled"


@pytest.mark.parametrize("headers", FOREIGN_PAGES)
async def test_a_link_on_any_page_may_lead_here(api: ApiWorld, headers: list[tuple[str, str]]) -> None:
    async with api.client() as client:
        assert (await client.get("/docs", headers=headers)).status_code == 200


async def test_where_others_may_connect_foreign_pages_are_refused_too() -> None:
    answer = await ApiWorld(is_local=False).post(
        "/api/jobs", an_email(), headers={"host": "jobs.example.com", "origin": "https://evil.example"}
    )

    assert problem(answer) == (403, "foreign-origin")


@pytest.mark.parametrize("has_begun", [False, True])
async def test_a_request_that_outlasts_the_process_is_told_so(has_begun: bool) -> None:
    """The server cancels what is not answered within its grace; by itself it would say 500."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if has_begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise asyncio.CancelledError

    guard = Guard(app=app, is_local=False, new_id=lambda: "an-id")
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Any:  # noqa: ANN401
        raise AssertionError("nothing is read")

    scope: Any = {"type": "http", "method": "GET", "headers": [], "state": {}}
    if has_begun:
        with pytest.raises(asyncio.CancelledError):
            await guard(scope, receive, send)
        return
    await guard(scope, receive, send)

    start, body = sent
    assert start["type"] == "http.response.start"
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"2")
    assert body["type"] == "http.response.body"
    assert b"may have been made or not" in body["body"]
