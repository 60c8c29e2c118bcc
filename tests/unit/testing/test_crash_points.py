"""Workers that die where the test says: what happened before, and nothing after."""

import asyncio

import pytest

from jobmill import JobContext, RetryAfter
from jobmill.domain.errors import InvalidInput
from jobmill.testing import CrashNotReached, CrashPoint, VirtualMill, virtually

from tests.builders import MINUTE, SECOND
from tests.unit.testing.shop import HANDLING_S, Number, double, handlers, of, slow


@pytest.mark.parametrize(
    ("after", "runs", "attempts"), [("claim", [2], 2), ("effect", [1, 2], 2), ("commit", [1], 1)]
)
async def test_a_crash_point_lies_where_it_says(
    mill: VirtualMill, after: CrashPoint, runs: list[int], attempts: int
) -> None:
    began: list[int] = []

    async def work(_number: Number, job: JobContext) -> None:
        began.append(job.attempt)

    mill.crash(job_type := of(work), after=after)
    job = await mill.submit(job_type, Number())
    await mill.run_until_idle()
    await mill.advance(MINUTE)

    assert began == runs
    mill.expect(job).succeeded(attempts=attempts)


async def test_a_later_attempt_may_be_the_one(mill: VirtualMill) -> None:
    mill.crash(double, after="effect", attempt=1)
    mill.crash(double, after="effect", attempt=2)
    job = await mill.submit(double, Number())

    await mill.run_until_idle()

    mill.expect(job).succeeded(attempts=3)


async def test_a_failure_is_an_effect_as_well(mill: VirtualMill) -> None:
    async def work(_number: Number, job: JobContext) -> None:
        if job.attempt == 1:
            raise OSError("down")

    mill.crash(job_type := of(work), after="effect")
    job = await mill.submit(job_type, Number())
    await mill.run_until_idle()

    assert not any("down" in line for line in mill.trace)
    mill.expect(job).succeeded(attempts=2)


@virtually
async def test_a_dead_worker_does_nothing_more_not_even_finally() -> None:
    said: list[str] = []

    async def work(number: Number, job: JobContext) -> None:
        try:
            await asyncio.sleep(number.number / 10)
            said.append(f"{number.number} ran, attempt {job.attempt}")
        finally:
            said.append(f"{number.number} ended")

    async with VirtualMill(workers=1) as mill:
        mill.crash(job_type := of(work), after="effect")
        neighbour = await mill.submit(job_type, Number(15))
        await mill.submit(job_type, Number(10))
        await mill.advance(MINUTE)
        heard = list(said)
        mill.expect(neighbour).succeeded(attempts=2)

    assert sorted(heard) == [
        "10 ended", "10 ended", "10 ran, attempt 1", "10 ran, attempt 2", "15 ended", "15 ran, attempt 2",
    ]  # fmt: skip


@virtually
async def test_a_client_outlives_the_worker_whose_handler_was_using_it() -> None:
    async def work(number: Number, _job: JobContext) -> None:
        for _ in range(number.number):
            await mill.client.submit(double, Number())

    async with VirtualMill(handlers, workers=1) as mill:
        mill.crash(double, after="claim")
        await mill.submit(of(work), Number(20))
        await mill.run_until_idle()

        job = await mill.submit(double, Number(1))
        assert (await mill.wait(job)).result == 2


async def test_a_planned_death_comes_once(mill: VirtualMill) -> None:
    mill.crash(double, after="effect")
    for number in range(5):
        await mill.submit(double, Number(number))

    await mill.run_until_idle()

    assert sum("dies by" in line for line in mill.trace) == 1


async def test_an_attempt_that_was_given_back_is_saved_too(mill: VirtualMill) -> None:
    async def work(_number: Number, job: JobContext) -> None:
        if job.attempt == 1 and not given_back:
            given_back.append(job.attempt)
            raise RetryAfter(MINUTE, "later", counts=False)

    given_back: list[int] = []
    mill.crash(job_type := of(work), after="commit")
    job = await mill.submit(job_type, Number())
    await mill.run_until_idle()

    mill.expect(job).succeeded(attempts=1)
    course = "\n".join(mill.trace)
    assert course.index("postponed") < course.index("dies by")


@virtually
async def test_the_only_worker_is_replaced() -> None:
    async with VirtualMill(workers=1) as mill:
        mill.crash(slow, after="claim")
        job = await mill.submit(slow, Number())
        await mill.run_until_idle()

        mill.expect(job).succeeded(attempts=2)


async def test_a_worker_that_was_leaving_dies_as_well(mill: VirtualMill) -> None:
    mill.crash(slow, after="effect")
    job = await mill.submit(slow, Number())
    await mill.advance(SECOND)

    async def work(_number: Number, _job: JobContext) -> None:
        """Have a queue of its own."""

    await mill.submit(of(work, queue="new"), Number())
    await mill.advance(HANDLING_S * SECOND + MINUTE)

    mill.expect_all().succeeded()
    mill.expect(job).succeeded(attempts=2)
    assert len([worker for worker in mill._world.workers if worker.is_alive]) == 2


@virtually
async def test_a_point_that_no_job_came_to_fails_the_test() -> None:
    mill = VirtualMill()
    mill.crash(double, after="effect", attempt=2)
    await mill.submit(double, Number())
    await mill.run_until_idle()

    with pytest.raises(
        CrashNotReached,
        match=r"crash\('number.double', after='effect', attempt=2\)(?s:.*)succeeded, attempt 1",
    ):
        await mill.finish()


@virtually
async def test_a_failure_of_the_test_is_told_rather_than_a_point_not_reached() -> None:
    async def scenario() -> None:
        async with VirtualMill() as mill:
            mill.crash(double, after="effect")
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await scenario()


def test_there_are_three_points_and_attempts_count_from_one() -> None:
    mill = VirtualMill()

    with pytest.raises(InvalidInput, match="one of 'claim', 'effect', 'commit'"):
        mill.crash(double, after="lunch")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="1 or more"):
        mill.crash(double, after="claim", attempt=0)
