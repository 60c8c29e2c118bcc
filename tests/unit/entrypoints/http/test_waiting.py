"""``GET /jobs/{id}?wait=``: answered when the job ends, or as it stands when the time is over."""

import asyncio

import pytest

from jobmill.domain.states import JobState

from tests.builders import a_job_that_is, a_stamp
from tests.unit.entrypoints.http.api_world import ApiWorld, pointers, problem


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def test_the_answer_comes_when_the_job_is_finished(api: ApiWorld) -> None:
    job = await api.has(a_job_that_is(JobState.QUEUED, now=api.clock.now()))
    asking = asyncio.create_task(api.get(f"/api/jobs/{job.id}?wait=30"))
    await asyncio.sleep(10)

    await api.saved(job.cancel(now=api.clock.now(), stamp=a_stamp()))

    answer = await asking
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert 10 <= now_s() <= 11


async def test_after_its_time_the_answer_is_the_job_as_it_stands(api: ApiWorld) -> None:
    job = await api.has(a_job_that_is(JobState.QUEUED, now=api.clock.now()))

    answer = await api.get(f"/api/jobs/{job.id}?wait=30")

    assert (answer.status_code, answer.json()["status"]) == (200, "queued")
    assert now_s() == 30


@pytest.mark.parametrize("query", ["", "?wait=0"])
async def test_without_a_wait_it_comes_at_once(api: ApiWorld, query: str) -> None:
    job = await api.has(a_job_that_is(JobState.QUEUED, now=api.clock.now()))

    await api.get(f"/api/jobs/{job.id}{query}")

    assert now_s() == 0


async def test_a_finished_job_is_not_waited_for(api: ApiWorld) -> None:
    job = await api.has(a_job_that_is(JobState.SUCCEEDED, now=api.clock.now()))

    assert (await api.get(f"/api/jobs/{job.id}?wait=60")).json()["status"] == "succeeded"
    assert now_s() == 0


async def test_a_shutdown_answers_all_who_wait(api: ApiWorld) -> None:
    job = await api.has(a_job_that_is(JobState.QUEUED, now=api.clock.now()))
    asking = asyncio.create_task(api.get(f"/api/jobs/{job.id}?wait=60"))
    await asyncio.sleep(1)

    api.services.watch.stop()

    assert (await asking).json()["status"] == "queued"
    assert now_s() == 1


async def test_nobody_waits_for_a_job_that_does_not_exist(api: ApiWorld) -> None:
    answer = await api.get("/api/jobs/0199a0c2-7f3e-7000-8000-000000000000?wait=60")

    assert problem(answer) == (404, "job-not-found")
    assert answer.json()["about"] == {"job_id": "0199a0c2-7f3e-7000-8000-000000000000"}
    assert now_s() == 0


@pytest.mark.parametrize("wait", ["61", "-1", "1.5", "soon", ""])
async def test_a_wait_is_a_whole_number_up_to_a_minute(api: ApiWorld, wait: str) -> None:
    answer = await api.get(f"/api/jobs/0199a0c2-7f3e-7000-8000-000000000000?wait={wait}")

    assert problem(answer) == (400, "invalid-input")
    assert pointers(answer) == ["/wait"]
