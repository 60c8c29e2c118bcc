"""Whatever is wrong with a request is told with its place, and nothing is stored."""

import json
from collections.abc import AsyncGenerator
from typing import Any, Final

import pytest

from tests.unit.entrypoints.http.api_world import ApiWorld, an_email, pointers, problem

DEEP: Final = json.dumps(an_email()).replace('"ada@example.com"', "[" * 40 + "]" * 40).encode()


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "required"),
        (b"{", "line 1, column 2"),
        (b"\xff\xfe", "UTF-8"),
        (b'{"type":"email","type":"email","payload":{}}', "twice"),
        (b'{"type":"email","payload":{"recipient":NaN}}', "NaN"),
        (b'{"type":"email","payload":{},"delay_s":1e999}', "too large"),
        (b'{"type":"email","payload":{},"delay_s":123456789012345678901}', "64 bits"),
        (b'{"type":"email","payload":{"recipient":"a\x00b"}}', "control character"),
        (b'{"type":"email","payload":{"recipient":"a\\u0000b"}}', "control character"),
        (b'{"type":"email","payload":{"recipient":"\\ud800"}}', "surrogate"),
        (b'{"type":"email","payload":{"\\ud800":"x"}}', "surrogate"),
        (DEEP, "deeper"),
        (b"[" * 8_000 + b"]" * 8_000, "deeper"),
    ],
)
async def test_a_body_that_is_no_proper_json_is_refused(api: ApiWorld, raw: bytes, word: str) -> None:
    answer = await api.post("/api/jobs", raw)

    assert problem(answer) == (400, "malformed-json")
    assert word in answer.json()["detail"]
    assert not api.jobs


async def test_the_place_of_a_control_character_is_told(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs", an_email(payload={"recipient": "a", "a/b": ["fine", "\x1b[2J"]}))

    assert pointers(answer) == ["/payload/a~1b/1"]


@pytest.mark.parametrize("body", [None, [], "email", 7, True])
async def test_a_body_that_is_no_object_is_refused(api: ApiWorld, body: object) -> None:
    answer = await api.post("/api/jobs", json.dumps(body).encode())

    assert problem(answer) == (400, "invalid-input")
    assert pointers(answer) == [""]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"type": 7}, "/type"),
        ({"payload": "text"}, "/payload"),
        ({"payload": None}, "/payload"),
        ({"payload": {}}, "/payload/recipient"),
        ({"payload": {"recipient": 7}}, "/payload/recipient"),
        ({"payload": {"recipient": "a", "cc": "b"}}, "/payload/cc"),
        ({"colour": "red"}, "/colour"),
        ({"queue": "nowhere"}, "/queue"),
        ({"queue": None}, "/queue"),
        ({"priority": "urgent"}, "/priority"),
        ({"priority": 1}, "/priority"),
        ({"run_at": "tomorrow"}, "/run_at"),
        ({"run_at": "2030-01-01T00:00:00"}, "/run_at"),
        ({"run_at": "2030-02-30T00:00:00Z"}, "/run_at"),
        ({"run_at": 1893456000}, "/run_at"),
        ({"run_at": "2050-01-01T00:00:00Z"}, "/run_at"),
        ({"run_at": "9999-12-31T23:59:59-12:00"}, "/run_at"),
        ({"run_at": "2031-01-01T00:00:00Z", "delay_s": 1}, "/run_at"),
        ({"delay_s": -1}, "/delay_s"),
        ({"delay_s": "5m"}, "/delay_s"),
        ({"delay_s": 1e300}, "/delay_s"),
        ({"delay_s": -1e300}, "/delay_s"),
        ({"delay_s": True}, "/delay_s"),
        ({"ttl_s": 0}, "/ttl_s"),
        ({"ttl_s": 1e-9}, "/ttl_s"),
        ({"timeout_s": 86_401}, "/timeout_s"),
        ({"max_attempts": 0}, "/max_attempts"),
        ({"max_attempts": 101}, "/max_attempts"),
        ({"max_attempts": 2.5}, "/max_attempts"),
        ({"max_attempts": "3"}, "/max_attempts"),
        ({"max_attempts": True}, "/max_attempts"),
        ({"correlation_id": "a\r\nx-evil: 1"}, "/correlation_id"),
        ({"correlation_id": ""}, "/correlation_id"),
        ({"tenant": "t" * 256}, "/tenant"),
        ({"tags": "urgent"}, "/tags"),
        ({"tags": ["fine", 7]}, "/tags/1"),
        ({"tags": ["x" * 51]}, "/tags/0"),
        ({"tags": ["x"] * 11}, "/tags"),
        ({"unique": 7}, "/unique"),
        ({"unique": ""}, "/unique/key"),
        ({"unique": {"hold_s": 1}}, "/unique/key"),
        ({"unique": {"key": "k", "hold_s": -1}}, "/unique/hold_s"),
        ({"unique": {"key": "k", "for_s": 1}}, "/unique/for_s"),
    ],
)
async def test_a_request_that_breaks_a_rule_is_refused_with_the_place(
    api: ApiWorld, change: dict[str, Any], pointer: str
) -> None:
    answer = await api.post("/api/jobs", an_email(**change))

    assert problem(answer)[0] == 400
    assert pointers(answer) == [pointer]
    assert not api.jobs


@pytest.mark.parametrize("missing", ["type", "payload"])
async def test_what_is_missing_is_named(api: ApiWorld, missing: str) -> None:
    request = {name: value for name, value in an_email().items() if name != missing}

    answer = await api.post("/api/jobs", request)

    assert problem(answer) == (400, "invalid-input")
    assert answer.json()["errors"] == [{"pointer": f"/{missing}", "detail": "is required"}]


async def test_an_unknown_type_is_told_which_there_are(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs", an_email(type="fax"))

    assert problem(answer) == (400, "unknown-type")
    assert "anything, email, thumbnail.make" in answer.json()["detail"]


async def test_every_fault_of_options_and_payload_comes_in_one_answer(api: ApiWorld) -> None:
    request = {
        "type": "thumbnail.make",
        "payload": {"sizes": [{"width": "wide"}], "mode": "blur", "x": 1},
        "priority": 7,
        "delay_s": -1,
        "queue": "nowhere",
        "tags": [None],
        "colour": "red",
    }

    answer = await api.post("/api/jobs", request)

    assert problem(answer) == (400, "invalid-input")
    assert sorted(pointers(answer)) == [
        "/colour",
        "/delay_s",
        "/payload/mode",
        "/payload/picture",
        "/payload/sizes/0/height",
        "/payload/sizes/0/width",
        "/payload/x",
        "/priority",
        "/queue",
        "/tags/0",
    ]
    assert not api.jobs


async def test_a_body_beyond_16_kib_is_refused_unread(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs", an_email(payload={"recipient": "x" * 17_000}))

    assert problem(answer) == (413, "too-large")
    assert not api.jobs


async def test_a_body_that_grows_beyond_its_bound_on_the_way_is_refused(api: ApiWorld) -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(20):
            yield b" " * 1_000

    async with api.client() as client:
        answer = await client.post(
            "/api/jobs", content=pieces(), headers={"content-type": "application/json"}
        )

    assert problem(answer) == (413, "too-large")


async def test_a_payload_beyond_10_kib_is_refused(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs", an_email(payload={"recipient": "x" * 10_300}))

    assert problem(answer) == (413, "too-large")
    assert pointers(answer) == ["/payload"]
    assert not api.jobs


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/jsonp"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_a_body_of_another_kind_is_refused(api: ApiWorld, headers: dict[str, str]) -> None:
    answer = await api.post("/api/jobs", an_email(), headers=headers)

    assert problem(answer) == (415, "unsupported-media-type")
    assert not api.jobs


async def test_a_body_must_say_what_it_is(api: ApiWorld) -> None:
    async with api.client() as client:
        answer = await client.post("/api/jobs", content=json.dumps(an_email()))

    assert problem(answer) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/json;v=1"]
)
async def test_parameters_and_capitals_of_the_content_type_do_not_matter(api: ApiWorld, kind: str) -> None:
    answer = await api.post("/api/jobs", an_email(), headers={"content-type": kind})

    assert answer.status_code == 201


async def test_a_query_where_none_belongs_is_refused(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs?dry_run=1", an_email())

    assert problem(answer) == (400, "invalid-input")
    assert pointers(answer) == ["/dry_run"]
    assert not api.jobs
