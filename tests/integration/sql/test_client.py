"""The client's verbs: the same by the database and over HTTP, async and not."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest
import pytest_asyncio

import jobmill
from jobmill import Client, JobState, Submission

from tests.integration.sql.running import Running, open_client, run_mill
from tests.integration.sql.shop import Charge, charge

HOUR: Final = timedelta(hours=1)
LONG: Final = timedelta(seconds=20)


@pytest_asyncio.fixture
async def running(url: str) -> AsyncGenerator[Running]:
    async with run_mill(url) as opened:
        yield opened


@pytest.fixture(params=["database", "http", "database-sync", "http-sync"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest_asyncio.fixture
async def mill(kind: str, running: Running) -> AsyncGenerator[Client]:
    async with open_client(kind, running) as client:
        yield client


async def test_a_job_is_run_and_its_result_awaited(mill: Client) -> None:
    job = await mill.submit(charge, Charge(7), tags=["vip"], correlation_id="c-7")

    seen = await mill.wait(job, timeout=LONG)

    assert (seen.id, seen.status, seen.attempts) == (job.id, JobState.SUCCEEDED, 1)
    assert (seen.result, seen.succeeded, seen.tags) == ({"charged": 7}, True, ("vip",))
    assert (job.status, job.queue, job.correlation_id) == (JobState.QUEUED, "payments", "c-7")


async def test_a_job_that_fails_is_awaited_too(mill: Client) -> None:
    job = await mill.submit(charge, Charge(7, "declined"))

    seen = await mill.wait(job.id, timeout=LONG)

    assert (seen.status, seen.succeeded, seen.result) == (JobState.FAILED, False, None)
    assert seen.error is not None
    assert "card declined" in seen.error


async def test_a_wait_past_its_time_says_that_the_job_goes_on(mill: Client) -> None:
    job = await mill.submit(charge, Charge(7), delay=HOUR)

    with pytest.raises(jobmill.WaitTimedOut, match="still scheduled") as error:
        await mill.wait(job, timeout=timedelta(seconds=0.2))

    assert error.value.job_id == job.id
    assert (await mill.get(str(job.id))).status is JobState.SCHEDULED


async def test_a_job_by_its_types_name_takes_plain_values(mill: Client) -> None:
    await mill.submit(charge, Charge(1))  # by the database a client knows the types whose code it was given

    job = await mill.submit("order.charge", {"order": 8})

    assert (await mill.wait(job, timeout=LONG)).result == {"charged": 8}


async def test_what_nobody_declares_is_refused(mill: Client) -> None:
    with pytest.raises(jobmill.UnknownType) as error:
        await mill.submit("nobody.knows", {})

    assert error.value.code == "unknown-type"
    assert await mill.list() == []


async def test_a_payload_of_another_class_is_refused_at_once(mill: Client) -> None:
    wrong: Any = {"order": 7}

    with pytest.raises(jobmill.InvalidPayload) as error:
        await mill.submit(charge, wrong)

    assert error.value.errors == [("/payload", "must be a Charge, not a dict")]
    assert await mill.list() == []


async def test_a_payload_whose_fields_are_wrong_is_refused_at_its_place(mill: Client) -> None:
    wrong: Any = "seven"

    with pytest.raises(jobmill.InvalidPayload) as error:
        await mill.submit(charge, Charge(wrong))

    assert [pointer for pointer, _ in error.value.errors] == ["/payload/order"]


async def test_of_a_batch_the_place_says_which_job_is_wrong_and_none_is_stored(mill: Client) -> None:
    wrong: Any = "seven"

    with pytest.raises(jobmill.InvalidPayload) as error:
        await mill.submit_many([Submission(charge, Charge(1)), Submission(charge, Charge(wrong))])

    assert [pointer for pointer, _ in error.value.errors] == ["/1/payload/order"]
    assert await mill.list() == []


async def test_of_a_batch_the_place_of_a_wrong_option_says_so_too(mill: Client) -> None:
    wrong: Any = {"max_attempts": 0}

    with pytest.raises(jobmill.InvalidInput) as error:
        await mill.submit_many([Submission(charge, Charge(1)), Submission(charge, Charge(2), options=wrong)])

    assert [pointer for pointer, _ in error.value.errors] == ["/1/max_attempts"]


async def test_plain_values_that_are_no_json_are_refused(mill: Client) -> None:
    await mill.submit(charge, Charge(1), delay=HOUR)

    with pytest.raises(jobmill.InvalidPayload, match="no JSON"):
        await mill.submit("order.charge", {"order": object()})


async def test_an_option_that_does_not_exist_or_has_the_wrong_class_is_named(mill: Client) -> None:
    options: Any = {"prioritty": "high", "delay": 5}

    with pytest.raises(jobmill.InvalidInput) as error:
        await mill.submit(charge, Charge(7), **options)

    assert [pointer for pointer, _ in error.value.errors] == ["/prioritty", "/delay"]


async def test_an_option_out_of_its_range_is_refused(mill: Client) -> None:
    with pytest.raises(jobmill.InvalidInput) as error:
        await mill.submit(charge, Charge(7), max_attempts=0)

    assert [pointer for pointer, _ in error.value.errors] == ["/max_attempts"]
    assert await mill.list() == []


async def test_the_same_request_under_the_same_key_makes_one_job(mill: Client) -> None:
    first = await mill.submit(charge, Charge(7), idempotency_key="order 7 ü")
    again = await mill.submit(charge, Charge(7), idempotency_key="order 7 ü")

    assert (again.id, first.replayed, again.replayed) == (first.id, False, True)


async def test_another_request_under_a_taken_key_is_refused(mill: Client) -> None:
    first = await mill.submit(charge, Charge(7), idempotency_key="k")

    with pytest.raises(jobmill.IdempotencyConflict) as error:
        await mill.submit(charge, Charge(8), idempotency_key="k")

    assert (error.value.job_id, error.value.key) == (first.id, "k") or str(error.value.job_id) == str(
        first.id
    )
    assert error.value.code == "idempotency-conflict"


async def test_a_batch_answers_in_its_order(mill: Client) -> None:
    await mill.submit(charge, Charge(2), idempotency_key="2", delay=HOUR)
    orders = [
        Submission(charge, Charge(at), options={"idempotency_key": str(at), "delay": HOUR})
        for at in (1, 2, 3)
    ]

    jobs = await mill.submit_many(orders)

    assert [(job.payload["order"], job.replayed) for job in jobs] == [(1, False), (2, True), (3, False)]


async def test_a_job_that_does_not_exist_is_named(mill: Client) -> None:
    nobody = UUID(int=7)

    with pytest.raises(jobmill.JobNotFound) as error:
        await mill.get(nobody)

    assert error.value.job_id == nobody
    with pytest.raises(jobmill.InvalidInput, match="no job's id"):
        await mill.get("seven")


async def test_lists_are_filtered_and_paged_newest_first(mill: Client) -> None:
    jobs = await mill.submit_many(
        [Submission(charge, Charge(at), options={"delay": HOUR, "tags": ["t"]}) for at in range(5)]
    )
    await mill.submit(charge, Charge(9), delay=HOUR)

    page = await mill.list(tag="t", status=[JobState.SCHEDULED], type=charge, limit=2)
    rest = await mill.list(tag="t", after=page[-1], queue="payments")

    assert [job.id for job in (*page, *rest)] == [job.id for job in reversed(jobs)]
    assert await mill.list(tag="t", status=[JobState.FAILED]) == []
    with pytest.raises(jobmill.InvalidInput):
        await mill.list(limit=201)


async def test_a_waiting_job_is_cancelled_once(mill: Client) -> None:
    job = await mill.submit(charge, Charge(7), delay=HOUR)

    assert (await mill.cancel(job)).status is JobState.CANCELLED
    with pytest.raises(jobmill.IllegalTransition) as error:
        await mill.cancel(job)
    assert (error.value.job_id, error.value.state) == (job.id, "cancelled")


async def test_a_dead_job_starts_over_with_an_edited_payload(mill: Client) -> None:
    job = await mill.submit(charge, Charge(7, "declined"))
    await mill.wait(job, timeout=LONG)
    with pytest.raises(jobmill.InvalidPayload):
        await mill.requeue(job, payload={"order": "seven"})

    await mill.requeue(job, payload={"order": 7})

    assert (await mill.wait(job, timeout=LONG)).result == {"charged": 7}


async def test_a_closed_client_says_so(kind: str, running: Running) -> None:
    async with open_client(kind, running) as client:
        pass

    with pytest.raises(jobmill.ClientClosed, match="this client is closed"):
        await client.submit(charge, Charge(7))


async def test_many_wait_for_one_job_and_all_are_told(mill: Client) -> None:
    job = await mill.submit(charge, Charge(7), delay=timedelta(seconds=0.5))

    seen = await asyncio.gather(*(mill.wait(job, timeout=LONG) for _ in range(10)))

    assert {each.status for each in seen} == {JobState.SUCCEEDED}
