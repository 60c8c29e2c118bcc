"""Interrupts around the commit of a handler's transaction: before it, never within, and after it."""

import asyncio

import pytest
from attrs import evolve

from jobmill.application.handlers import JobContext
from jobmill.application.run import Interrupt
from jobmill.domain.states import JobState

from tests.nodes import LEASE
from tests.unit.application.bench import Bench, works_off
from tests.unit.application.paying import Payload, paid, paying


@pytest.mark.parametrize("reason", list(Interrupt))
async def test_an_interrupt_within_the_block_rolls_back(bench: Bench, reason: Interrupt) -> None:
    async def work(_payload: Payload, context: JobContext) -> object:
        async with context.transaction() as db:
            await db.execute("pay", context.job_id)
            await asyncio.sleep(1_000)
        return None

    run, task = await bench.begins(work)
    run.job = evolve(run.job, stop_asked=reason is Interrupt.STOP_ASKED)
    run.stop(reason)
    await task

    assert bench.world.job(run.job).state is not JobState.SUCCEEDED
    assert bench.world.tables.effects == []


async def test_an_interrupt_that_comes_as_the_block_is_left_comes_first(bench: Bench) -> None:
    async def work(_payload: Payload, context: JobContext) -> object:
        async with context.transaction() as db:
            await db.execute("pay", context.job_id)
            run.stop(Interrupt.TIMEOUT)
        return None

    bench.world.work = work
    run = await bench.claims()
    await works_off(bench.node, run)

    assert bench.world.job(run.job).state is JobState.RETRYING
    assert bench.world.tables.effects == []


@pytest.mark.parametrize("reason", list(Interrupt))
async def test_an_interrupt_in_the_middle_of_the_commit_waits_for_its_end(
    bench: Bench, reason: Interrupt
) -> None:
    gate, went_on = asyncio.Event(), asyncio.Event()

    async def go_on(_context: JobContext) -> object:
        await asyncio.sleep(1)
        went_on.set()
        return None

    async def slowly(_moment: str) -> None:
        await gate.wait()

    bench.node.cable.trouble = lambda m: slowly(m) if m == "before transactions.commit" else None
    run, task = await bench.begins(paying(go_on))
    run.stop(reason)
    await bench.world.turns()
    gate.set()
    await task

    assert bench.world.job(run.job).state is JobState.SUCCEEDED
    assert paid(bench.world, run.job) == 1
    assert went_on.is_set() is (reason not in (Interrupt.TIMEOUT, Interrupt.SHUTDOWN))


async def test_a_limit_of_the_handlers_own_does_not_cut_the_commit_in_two(bench: Bench) -> None:
    async def slowly(_moment: str) -> None:
        await asyncio.sleep(3)

    async def work(payload: Payload, context: JobContext) -> object:
        async with asyncio.timeout(1):
            return await paying()(payload, context)

    bench.node.cable.trouble = lambda m: slowly(m) if m == "before transactions.commit" else None
    job = await bench.runs(work)

    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 1)
    assert paid(bench.world, job) == 1
    assert bench.node.notes.names == ["failed after its commit"]


async def test_what_follows_the_commit_is_still_bound_by_the_timeout_and_by_nothing_else(
    bench: Bench,
) -> None:
    ended_s: list[float] = []

    async def dawdle(_context: JobContext) -> object:
        assert bench.node.keeper.runs == (), "there is no lease any more to keep"
        try:
            await asyncio.sleep(1_000)
            return None
        finally:
            ended_s.append(asyncio.get_running_loop().time())

    run, task = await bench.begins(paying(dawdle))
    began_s = asyncio.get_running_loop().time()
    run.stop(Interrupt.LEASE_LOST)
    await task

    timeout_s = run.job.timeout.total_seconds()
    assert timeout_s > LEASE.ttl.total_seconds(), "so that a lease would have been missed"
    assert ended_s == [pytest.approx(began_s + timeout_s, abs=1)]
    assert bench.world.job(run.job).state is JobState.SUCCEEDED
