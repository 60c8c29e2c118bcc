"""Submitting a job over HTTP."""

import json
from datetime import timedelta

import pytest

from tests.unit.entrypoints.http.api_world import ApiWorld, an_email, pointers, problem

README_ORDER = [
    "id",
    "type",
    "status",
    "attempts",
    "error",
    "payload",
    "queue",
    "priority",
    "created_at",
    "updated_at",
]


@pytest.mark.parametrize("path", ["/api/jobs", "/jobs"])
async def test_a_job_is_stored_before_the_answer_names_it(api: ApiWorld, path: str) -> None:
    answer = await api.post(path, an_email())

    [job] = api.jobs.values()
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["location"] == f"/api/jobs/{job.id}"
    assert answer.json()["id"] == str(job.id)


async def test_the_answer_begins_with_what_people_look_for(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs", an_email())

    job = answer.json()
    assert list(job)[: len(README_ORDER)] == README_ORDER
    assert job["status"] == "queued"
    assert job["attempts"] == 0
    assert job["queue"] == "mail"
    assert job["created_at"] == "2030-01-01T00:00:00Z"
    assert job["timeout_s"] == 60


async def test_every_option_comes_back(api: ApiWorld) -> None:
    options = {
        "queue": "default",
        "priority": "high",
        "run_at": "2030-01-02T03:04:05+02:00",
        "ttl_s": 90.5,
        "max_attempts": 7,
        "timeout_s": 5,
        "correlation_id": "order-7",
        "idempotency_key": "k",
        "tenant": "acme",
        "tags": ["a", "ü"],
    }

    job = await api.submits(**options, unique={"key": "u", "hold_s": 5})

    assert {name: job[name] for name in options} == options | {"run_at": "2030-01-02T01:04:05Z"}
    assert job["status"] == "scheduled"
    assert job["expires_at"] == "2030-01-02T01:05:35.500000Z"


async def test_a_delay_counts_from_now(api: ApiWorld) -> None:
    job = await api.submits(delay_s=1.5)

    assert job["run_at"] == "2030-01-01T00:00:01.500000Z"


async def test_the_name_of_a_type_may_be_written_in_capitals(api: ApiWorld) -> None:
    job = await api.submits(type="EMAIL")

    assert job["type"] == "email"


async def test_a_payload_passes_through_as_it_was_sent(api: ApiWorld) -> None:
    payload = {"b": [1, 2.50, None, True], "a": {"text": "tab\tline\nend — ü 😀"}}

    answer = await api.post("/api/jobs", {"type": "anything", "payload": payload})

    assert json.loads(answer.content)["payload"] == payload


async def test_whole_numbers_may_come_as_json_writes_them(api: ApiWorld) -> None:
    payload = {"picture": "a.png", "sizes": [{"width": 3.0, "height": 4}]}

    answer = await api.post("/api/jobs", {"type": "thumbnail.make", "payload": payload, "max_attempts": 2.0})

    assert answer.status_code == 201
    assert answer.json()["max_attempts"] == 2


@pytest.mark.parametrize("header", ['"order-7"', "order-7", ' "order-7" ', '"order-7";a=1'])
async def test_the_same_request_under_the_same_key_is_answered_with_the_first_job(
    api: ApiWorld, header: str
) -> None:
    first = await api.post("/api/jobs", an_email(idempotency_key="order-7"))

    second = await api.post("/api/jobs", an_email(), headers={"idempotency-key": header})

    assert second.status_code == 200
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]
    assert second.json() == first.json()
    assert len(api.jobs) == 1


async def test_a_replay_shows_the_job_as_it_stands_now(api: ApiWorld) -> None:
    first = await api.submits(idempotency_key="k")
    await api.post(f"/api/jobs/{first['id']}/cancel")

    again = await api.post("/api/jobs", an_email(idempotency_key="k"))

    assert again.json()["status"] == "cancelled"


async def test_another_request_under_the_same_key_is_refused(api: ApiWorld) -> None:
    await api.submits(idempotency_key="k")

    answer = await api.post("/api/jobs", an_email(idempotency_key="k", priority="low"))

    assert problem(answer) == (422, "idempotency-conflict")
    assert len(api.jobs) == 1


async def test_escapes_in_a_quoted_key_are_resolved(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs", an_email(), headers={"idempotency-key": r'"a\"b\\c"'})

    assert answer.json()["idempotency_key"] == 'a"b\\c'


@pytest.mark.parametrize("header", ["", '""', '"open', 'a"b c"', "two words", "k\x7f"])
async def test_a_header_that_is_no_key_is_refused(api: ApiWorld, header: str) -> None:
    answer = await api.post("/api/jobs", an_email(), headers={"idempotency-key": header})

    assert problem(answer) == (400, "invalid-input")
    assert pointers(answer) == ["/idempotency_key"]
    assert not api.jobs


async def test_two_headers_with_keys_are_refused(api: ApiWorld) -> None:
    headers = [("content-type", "application/json"), ("idempotency-key", "a"), ("idempotency-key", "b")]
    async with api.client() as client:
        answer = await client.post("/api/jobs", content=json.dumps(an_email()), headers=headers)

    assert problem(answer) == (400, "invalid-input")


async def test_a_key_in_the_header_and_another_in_the_body_are_refused(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs", an_email(idempotency_key="a"), headers={"idempotency-key": "b"})

    assert problem(answer) == (400, "invalid-input")
    assert pointers(answer) == ["/idempotency_key"]


async def test_the_same_key_in_both_places_is_fine(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs", an_email(idempotency_key="a"), headers={"idempotency-key": '"a"'})

    assert answer.status_code == 201


async def test_a_unique_key_finds_the_job_that_is_not_finished(api: ApiWorld) -> None:
    first = await api.submits(unique="daily")
    api.clock.advance(timedelta(days=2))

    second = await api.post("/api/jobs", an_email(unique="daily", priority="low"))

    assert second.status_code == 200
    assert second.json()["id"] == first["id"]
