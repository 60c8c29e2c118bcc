"""Looking at one job, and moving it by hand."""

from typing import Any
from uuid import UUID

import pytest

from jobmill.domain.failure import FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.builders import a_failure, a_job_that_is, failed, started, succeeded
from tests.unit.entrypoints.http.api_world import ApiWorld, pointers, problem

#: An id that no job has.
NOBODY = UUID("0199a0c2-7f3e-7000-8000-000000000000")


async def a_stored(api: ApiWorld, state: JobState, **facts: Any) -> Job:
    mail = {"type": "email", "queue": "mail", "payload": '{"recipient":"ada"}'}
    return await api.has(a_job_that_is(state, now=api.clock.now(), **(mail | facts)))


async def test_a_job_is_shown_with_each_attempt_that_failed(api: ApiWorld) -> None:
    now = api.clock.now()
    queued = await a_stored(api, JobState.QUEUED)
    running = await api.saved(started(queued, worker="w1", now=now))
    failure = a_failure(FailureKind.PERMANENT, stack="Traceback …")
    await api.saved(failed(running, failure, now=now))

    answer = await api.get(f"/api/jobs/{queued.id}")

    assert answer.status_code == 200
    assert answer.json()["status"] == "failed"
    assert answer.json()["attempts"] == 1
    assert answer.json()["error"] == "connection refused"
    assert answer.json()["history"] == [
        {
            "attempt": 1,
            "outcome": "dead-lettered",
            "at": "2030-01-01T00:00:00Z",
            "started_at": "2030-01-01T00:00:00Z",
            "worker": "w1",
            "kind": "permanent",
            "error": "connection refused",
            "stack": "Traceback …",
        }
    ]


async def test_a_result_is_shown_as_the_handler_left_it(api: ApiWorld) -> None:
    now = api.clock.now()
    running = await api.saved(started(await a_stored(api, JobState.QUEUED), now=now))
    await api.saved(succeeded(running, result='{"size":1.50}', now=now))

    answer = await api.get(f"/api/jobs/{running.id}")

    assert '"result":{"size":1.50}' in answer.text
    assert answer.json()["finished_at"] == "2030-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/jobs/{id}"),
        ("POST", "/api/jobs/{id}/cancel"),
        ("POST", "/api/jobs/{id}/requeue"),
        ("POST", "/api/jobs/{id}/discard"),
        ("GET", "/api/dead-letters/{id}"),
        ("POST", "/api/dead-letters/{id}/requeue"),
        ("POST", "/api/dead-letters/{id}/discard"),
    ],
)
@pytest.mark.parametrize("job_id", [str(NOBODY), "17", f"{{{NOBODY}}}", "a%00b", "x" * 300])
async def test_an_unknown_id_is_named(api: ApiWorld, method: str, path: str, job_id: str) -> None:
    async with api.client() as client:
        answer = await client.request(method, path.replace("{id}", job_id))

    assert problem(answer) == (404, "job-not-found")


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.SCHEDULED, JobState.RETRYING])
async def test_a_waiting_job_is_cancelled_at_once(api: ApiWorld, state: JobState) -> None:
    job = await a_stored(api, state)

    answer = await api.post(f"/api/jobs/{job.id}/cancel")

    assert answer.status_code == 200
    assert answer.json()["status"] == "cancelled"


async def test_a_running_job_is_asked_to_stop(api: ApiWorld) -> None:
    job = await api.saved(started(await a_stored(api, JobState.QUEUED), now=api.clock.now()))

    answer = await api.post(f"/api/jobs/{job.id}/cancel")

    assert answer.status_code == 202
    assert answer.json()["status"] == "processing"
    assert answer.json()["stop_asked"] is True


@pytest.mark.parametrize(
    ("verb", "state"),
    [
        ("cancel", JobState.SUCCEEDED),
        ("cancel", JobState.CANCELLED),
        ("requeue", JobState.QUEUED),
        ("requeue", JobState.SUCCEEDED),
        ("discard", JobState.PROCESSING),
        ("discard", JobState.DISCARDED),
    ],
)
async def test_a_move_that_the_state_forbids_is_refused_and_says_how_it_stands(
    api: ApiWorld, verb: str, state: JobState
) -> None:
    job = await a_stored(api, state)

    answer = await api.post(f"/api/jobs/{job.id}/{verb}")

    assert problem(answer) == (409, "illegal-transition")
    assert state.value in answer.json()["detail"]


async def test_a_job_that_somebody_else_moved_just_then_is_stale(api: ApiWorld) -> None:
    job = await a_stored(api, JobState.FAILED)

    def moves_in_between(moment: str) -> None:
        if moment == "before jobs.save":
            api.jobs[job.id] = a_job_that_is(JobState.DISCARDED, id=job.id)

    api.at_statement = moves_in_between
    answer = await api.post(f"/api/jobs/{job.id}/requeue")

    assert problem(answer) == (409, "stale-job")


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.EXPIRED, JobState.CANCELLED])
async def test_a_job_that_is_over_starts_over(api: ApiWorld, state: JobState) -> None:
    job = await a_stored(api, state)

    answer = await api.post(f"/api/jobs/{job.id}/requeue")

    assert answer.status_code == 200
    assert answer.json()["status"] == "queued"
    assert answer.json()["attempts"] == 0
    assert answer.json()["payload"] == {"recipient": "ada"}


async def test_a_job_starts_over_with_another_payload(api: ApiWorld) -> None:
    job = await a_stored(api, JobState.FAILED)

    answer = await api.post(f"/api/jobs/{job.id}/requeue", {"payload": {"recipient": "bob"}})

    assert answer.json()["payload"] == {"recipient": "bob"}
    assert api.jobs[job.id].edition == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"payload": {"recipient": 7}}, "/payload/recipient"),
        ({"payload": None}, "/payload"),
        ({"payload": []}, "/payload"),
        ({"paylaod": {}}, "/paylaod"),
        ([], ""),
    ],
)
async def test_a_requeue_with_a_bad_payload_changes_nothing(
    api: ApiWorld, body: object, pointer: str
) -> None:
    job = await a_stored(api, JobState.FAILED)

    answer = await api.post(f"/api/jobs/{job.id}/requeue", body)

    assert problem(answer)[0] == 400
    assert pointers(answer) == [pointer]
    assert api.jobs[job.id] == job


async def test_a_dead_job_is_put_away(api: ApiWorld) -> None:
    job = await a_stored(api, JobState.EXPIRED)

    answer = await api.post(f"/api/jobs/{job.id}/discard")

    assert answer.status_code == 200
    assert answer.json()["status"] == "discarded"
