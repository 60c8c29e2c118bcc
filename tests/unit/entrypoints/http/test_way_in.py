"""Requests that bring jobs are answered the same, straight or by the framework's own way."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.unit.entrypoints.http.api_world import ApiWorld, an_email, problem

#: What differs from one request to the next.
_OWN = ("x-request-id", "location", "content-length")

REQUESTS: list[tuple[dict[str, str], bytes]] = [
    ({}, json.dumps(an_email()).encode()),
    ({"idempotency-key": "k"}, json.dumps(an_email()).encode()),
    ({}, json.dumps({"jobs": [an_email(), an_email(idempotency_key="k")]}).encode()),
    ({}, b"{}"),
    ({}, b"{"),
    ({}, b""),
    ({}, b" " * (16 * 1024 * 1024 + 1)),
    ({"content-type": "text/plain"}, b"{}"),
    ({"content-encoding": "gzip"}, b"{}"),
    ({"content-length": "many"}, b"{}"),
    ({"content-length": str(2**40)}, b"{}"),
    ({"host": "local host"}, b"{}"),
]


def seen(answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    body = answer.json()
    for one in body.get("jobs", [body]):
        for name in ("id", "instance"):
            one.pop(name, None)
    return answer.status_code, {name: text for name, text in answer.headers.items() if name not in _OWN}, body


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/batch"])
@pytest.mark.parametrize(("headers", "body"), REQUESTS)
async def test_both_ways_answer_alike(path: str, headers: dict[str, str], body: bytes) -> None:
    straight, by_framework = [
        await ApiWorld(is_local=False).post(path + slash, body, headers=headers) for slash in ("", "/")
    ]

    assert seen(straight) == seen(by_framework)


async def test_what_nobody_thought_of_is_a_problem_as_well(api: ApiWorld) -> None:
    api.trouble = ZeroDivisionError()

    assert problem(await api.post("/api/jobs", an_email())) == (500, "internal-error")


async def test_a_body_comes_in_pieces(api: ApiWorld) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(raw), 7):
            yield raw[at : at + 7]

    raw = json.dumps(an_email()).encode()
    async with api.client() as client:
        answer = await client.post(
            "/api/jobs", content=pieces(), headers={"content-type": "application/json"}
        )

    assert answer.status_code == 201


async def test_a_body_in_pieces_has_its_bound_too(api: ApiWorld) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 1024

    async with api.client() as client:
        answer = await client.post(
            "/api/jobs", content=pieces(), headers={"content-type": "application/json"}
        )

    assert problem(answer) == (413, "too-large")
