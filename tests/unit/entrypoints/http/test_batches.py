"""Submitting many jobs at once, all or none."""

import asyncio
import json
from typing import Any

import pytest

from jobmill.application.pauses import PIECE_BYTES
from jobmill.application.submitter import BATCH_MAX

from tests.unit.entrypoints.http.api_world import ApiWorld, an_email, pointers, problem


def a_batch(*jobs: dict[str, Any]) -> dict[str, Any]:
    return {"jobs": list(jobs)}


async def test_a_batch_is_answered_with_its_jobs_in_its_order(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs/batch", a_batch(an_email(tags=["one"]), an_email(tags=["two"])))

    assert answer.status_code == 201
    assert [job["tags"] for job in answer.json()["jobs"]] == [["one"], ["two"]]
    assert answer.json()["replayed"] == []
    assert len(api.jobs) == 2


async def test_a_thousand_jobs_fit(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs/batch", a_batch(*[an_email()] * BATCH_MAX))

    assert answer.status_code == 201
    assert len(api.jobs) == BATCH_MAX


def a_long_batch(*last: object) -> bytes:
    """Jobs of a hundred kilobytes, and one more thing."""
    jobs = [an_email(payload={"recipient": "x" * 9_000}) for _ in range(12)]
    return json.dumps({"jobs": [*jobs, *last]}).encode()


async def test_a_long_batch_is_accepted_like_a_short_one(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs/batch", a_long_batch(an_email(tags=["last"])))

    assert answer.status_code == 201
    assert [job["tags"] for job in answer.json()["jobs"]] == [[]] * 12 + [["last"]]


@pytest.mark.parametrize(
    ("last", "refusal", "pointer"),
    [
        (7, (400, "invalid-input"), "/jobs/12"),
        (an_email(delay_s=-1), (400, "invalid-input"), "/jobs/12/delay_s"),
        (an_email(payload={"recipient": "\x00"}), (400, "malformed-json"), "/jobs/12/payload/recipient"),
        ("x" * 200_000, (413, "too-large"), "/jobs/12"),
    ],
)
async def test_the_faults_of_a_long_batch_are_told_at_their_places(
    api: ApiWorld, last: object, refusal: tuple[int, str], pointer: str
) -> None:
    answer = await api.post("/api/jobs/batch", a_long_batch(last))

    assert problem(answer) == refusal
    assert pointers(answer) == [pointer]
    assert not api.jobs


async def test_a_long_batch_with_too_many_jobs_is_refused(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs/batch", a_long_batch(*[{}] * BATCH_MAX))

    assert problem(answer) == (400, "invalid-input")
    assert pointers(answer) == ["/jobs"]


async def test_others_have_their_turns_while_a_long_batch_is_read_and_checked(api: ApiWorld) -> None:
    jobs = [an_email(type="anything", payload={"a": [1] * 4_000}) for _ in range(200)]
    raw = json.dumps(a_batch(*jobs)).encode()
    others = 0

    async def take_turns() -> None:
        nonlocal others
        while True:
            await asyncio.sleep(0)
            others += 1

    neighbour = asyncio.create_task(take_turns())
    answer = await api.post("/api/jobs/batch", raw)
    neighbour.cancel()

    assert answer.status_code == 201
    read_in = len(raw) / PIECE_BYTES
    checked_in = sum(len(json.dumps(job["payload"], separators=(",", ":"))) for job in jobs) / PIECE_BYTES
    assert others >= 0.7 * (read_in + checked_in)


async def test_the_faults_of_every_job_are_told_and_no_job_is_stored(api: ApiWorld) -> None:
    jobs = [an_email(), an_email(delay_s=-1), an_email(payload={}), an_email(type="fax")]

    answer = await api.post("/api/jobs/batch", a_batch(*jobs))

    assert problem(answer) == (400, "invalid-input")
    assert pointers(answer) == ["/jobs/1/delay_s", "/jobs/2/payload/recipient", "/jobs/3/type"]
    assert not api.jobs


async def test_a_key_that_stands_twice_in_a_batch_is_refused_at_its_second_place(api: ApiWorld) -> None:
    jobs = [an_email(payload={}), an_email(idempotency_key="k"), an_email(idempotency_key="k")]

    answer = await api.post("/api/jobs/batch", a_batch(*jobs))

    assert pointers(answer) == ["/jobs/0/payload/recipient", "/jobs/2/idempotency_key"]


async def test_a_conflict_of_one_key_keeps_the_whole_batch_out(api: ApiWorld) -> None:
    await api.submits(idempotency_key="k")

    answer = await api.post("/api/jobs/batch", a_batch(an_email(), an_email(idempotency_key="k", tags=["x"])))

    assert problem(answer) == (422, "idempotency-conflict")
    assert len(api.jobs) == 1


async def test_jobs_of_earlier_requests_are_pointed_out(api: ApiWorld) -> None:
    first = await api.submits(idempotency_key="k")

    answer = await api.post("/api/jobs/batch", a_batch(an_email(), an_email(idempotency_key="k")))

    assert answer.status_code == 201
    assert answer.json()["replayed"] == [1]
    assert answer.json()["jobs"][1]["id"] == first["id"]


async def test_a_batch_sent_again_is_answered_with_the_first_jobs(api: ApiWorld) -> None:
    batch = a_batch(an_email(idempotency_key="a"), an_email(idempotency_key="b"))
    first = await api.post("/api/jobs/batch", batch)

    second = await api.post("/api/jobs/batch", batch)

    assert second.status_code == 200
    assert second.headers["idempotency-replayed"] == "true"
    assert second.json()["jobs"] == first.json()["jobs"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ({}, "/jobs"),
        ({"jobs": {}}, "/jobs"),
        ({"jobs": []}, "/jobs"),
        ({"jobs": [7]}, "/jobs/0"),
        ({"jobs": [an_email()], "atomic": True}, "/atomic"),
        ({"jobs": [{}] * (BATCH_MAX + 1)}, "/jobs"),
    ],
)
async def test_a_batch_of_another_form_is_refused(api: ApiWorld, body: object, pointer: str) -> None:
    answer = await api.post("/api/jobs/batch", body)

    assert problem(answer) == (400, "invalid-input")
    assert pointers(answer) == [pointer]
    assert not api.jobs


async def test_a_header_key_is_refused_since_it_would_protect_nothing(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs/batch", a_batch(an_email()), headers={"idempotency-key": "k"})

    assert problem(answer) == (400, "invalid-input")
    assert not api.jobs


async def test_a_batch_beyond_16_mib_is_refused(api: ApiWorld) -> None:
    answer = await api.post("/api/jobs/batch", b" " * (16 * 1024 * 1024 + 1))

    assert problem(answer) == (413, "too-large")


async def test_an_answer_to_endless_faults_has_an_end(api: ApiWorld) -> None:
    job = {"type": "email", "payload": {}, **{f"x{at}": 0 for at in range(1_500)}}

    answer = await api.post("/api/jobs/batch", json.dumps(a_batch(job, job, job)).encode())

    assert problem(answer) == (400, "invalid-input")
    assert len(pointers(answer)) == 1_000
