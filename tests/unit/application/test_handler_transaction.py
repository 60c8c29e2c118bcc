"""The transaction in which a job succeeds: its effects stand once, or not at all (rule 36)."""

import asyncio

import pytest

from jobmill.application.errors import LeaseLost, StorageUnavailable, StorageUnknown, TransactionFault
from jobmill.application.handler_transaction import ASK_WITHIN_S
from jobmill.application.handlers import JobContext, PermanentFailure
from jobmill.domain.states import Fact, JobState

from tests.unit.application.bench import Bench, works_off
from tests.unit.application.paying import Payload, paid, paying
from tests.world import World


async def test_leaving_the_block_commits_the_effect_and_the_success(bench: Bench) -> None:
    job = await bench.runs(paying())

    assert (job.state, job.attempt, job.result) == (JobState.SUCCEEDED, 1, None)
    assert paid(bench.world, job) == 1
    assert bench.node.notes.facts.count(Fact.SUCCEEDED) == 1
    assert bench.node.notes.events == []


async def test_leaving_it_by_an_exception_rolls_back_and_the_attempt_fails(bench: Bench) -> None:
    async def work(_payload: Payload, context: JobContext) -> object:
        async with context.transaction() as db:
            await db.execute("pay", context.job_id)
            raise ZeroDivisionError

    job = await bench.runs(work)

    assert (job.state, job.error) == (JobState.RETRYING, "ZeroDivisionError")
    assert paid(bench.world, job) == 0


async def test_an_exception_that_the_handler_catches_leaves_the_outcome_to_it(bench: Bench) -> None:
    async def work(_payload: Payload, context: JobContext) -> object:
        try:
            async with context.transaction() as db:
                await db.execute("pay", context.job_id)
                raise ZeroDivisionError
        except ZeroDivisionError:
            return "paid before"

    job = await bench.runs(work)

    assert (job.state, job.result) == (JobState.SUCCEEDED, '"paid before"')
    assert paid(bench.world, job) == 0


async def test_what_is_returned_after_the_block_is_dropped_and_noted(bench: Bench) -> None:
    async def receipt(_context: JobContext) -> object:
        return {"receipt": 7}

    job = await bench.runs(paying(receipt))

    assert (job.state, job.result) == (JobState.SUCCEEDED, None)
    assert bench.node.notes.names == ["result after the commit dropped"]


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("late"), PermanentFailure("late"), asyncio.CancelledError()]
)
async def test_an_error_after_the_block_changes_nothing(bench: Bench, error: BaseException) -> None:
    async def fail(_context: JobContext) -> object:
        raise error

    job = await bench.runs(paying(fail))

    assert (job.state, job.attempt, job.error) == (JobState.SUCCEEDED, 1, None)
    assert paid(bench.world, job) == 1
    assert bench.node.notes.names == ["failed after its commit"]


async def test_there_is_one_transaction_in_an_attempt(bench: Bench) -> None:
    met: list[str] = []

    async def again(context: JobContext) -> object:
        try:
            await paying()({}, context)
        except TransactionFault as fault:
            met.append(str(fault))
        return None

    job = await bench.runs(paying(again))

    assert job.state is JobState.SUCCEEDED
    assert paid(bench.world, job) == 1
    assert "into one block" in met[0]


async def test_the_next_attempt_has_one_of_its_own(bench: Bench) -> None:
    async def work(_payload: Payload, context: JobContext) -> object:
        async with context.transaction() as db:
            await db.execute("pay", context.job_id)
            if context.attempt == 1:
                raise ZeroDivisionError
        return None

    first = await bench.runs(work)
    await bench.world.passes(10)
    [again] = (await bench.node.claimer.claim([first])).runs
    await works_off(bench.node, again)

    assert bench.world.job(first).state is JobState.SUCCEEDED
    assert paid(bench.world, first) == 1


async def test_a_stale_worker_rolls_back(bench: Bench) -> None:
    met: list[BaseException] = []

    async def work(_payload: Payload, context: JobContext) -> object:
        try:
            async with context.transaction() as db:
                await db.execute("pay", context.job_id)
                row = bench.world.job(context.job_id)
                taken = row.hand_back(
                    "taken", policy=bench.world.retry, now=bench.world.clock.now(), stamp=7, fraction=0.0
                )
                bench.world.tables.jobs[row.id] = taken.job
        except LeaseLost as error:
            met.append(error)
        return "not mine to say"

    job = await bench.runs(work)

    assert job.state is JobState.QUEUED
    assert paid(bench.world, job) == 0
    assert [error.job_id for error in met if isinstance(error, LeaseLost)] == [job.id]
    assert bench.node.notes.names == ["outcome dropped with the lease"]


@pytest.mark.parametrize("swallows", [True, False])
async def test_a_commit_that_fails_is_a_transient_failure_whatever_the_handler_says(
    bench: Bench, swallows: bool
) -> None:
    def fails(moment: str) -> None:
        if moment == "before transactions.commit":
            raise StorageUnavailable("out of reach")

    async def work(payload: Payload, context: JobContext) -> object:
        try:
            return await paying()(payload, context)
        except StorageUnavailable:
            if swallows:
                return "never mind"
            raise

    bench.node.cable.trouble = fails
    job = await bench.runs(work)

    assert job.state is JobState.RETRYING
    assert "out of reach" in str(job.error)
    assert paid(bench.world, job) == 0


async def test_a_commit_in_doubt_that_stands_is_a_success(bench: Bench) -> None:
    asked: list[str] = []

    def trouble(moment: str) -> None:
        asked.append(moment)
        if moment == "after transactions.commit":
            raise StorageUnknown("cut off")
        if moment == "before transactions.settled" and asked.count(moment) < 4:
            raise StorageUnavailable("still away")

    bench.node.cable.trouble = trouble
    job = await bench.runs(paying())

    assert job.state is JobState.SUCCEEDED
    assert paid(bench.world, job) == 1
    assert bench.node.notes.facts.count(Fact.SUCCEEDED) == 1


async def test_a_commit_in_doubt_that_was_rolled_back_is_a_transient_failure(bench: Bench) -> None:
    def trouble(moment: str) -> None:
        if moment == "before transactions.commit":
            raise StorageUnknown("cut off")

    bench.node.cable.trouble = trouble
    job = await bench.runs(paying())

    assert (job.state, job.attempt) == (JobState.RETRYING, 1)
    assert "rolled it back" in str(job.error)
    assert paid(bench.world, job) == 0


async def test_a_commit_about_which_nobody_can_be_asked_is_left_to_the_lease(bench: Bench) -> None:
    def trouble(moment: str) -> None:
        if moment == "before transactions.commit":
            raise StorageUnknown("cut off")
        if moment == "before transactions.settled":
            raise StorageUnavailable("away")

    bench.node.cable.trouble = trouble
    began_s = asyncio.get_running_loop().time()
    job = await bench.runs(paying())

    assert asyncio.get_running_loop().time() - began_s < ASK_WITHIN_S + 5
    assert job.state is JobState.PROCESSING
    assert "outcome not known to be saved" in bench.node.notes.names


@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_a_worker_killed_at_any_moment_leaves_one_effect_per_success(steps: int) -> None:
    world = World(work=paying())
    doomed, _heir = world.node(), world.node()
    await world.passes(5)
    await world.submit(count=3)
    await world.turns(steps)
    doomed.kill()
    await world.passes(120)

    assert world.states() == 3 * [JobState.SUCCEEDED]
    assert [paid(world, job) for job in world.tables.jobs.values()] == [1, 1, 1]
