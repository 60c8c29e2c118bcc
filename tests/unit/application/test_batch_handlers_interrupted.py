"""Jobs of a batch handler that have to stop: alone the call goes on, all together they end it."""

import asyncio
from datetime import timedelta

import pytest

from jobmill.application.lease_keeper import CANCEL_GRACE_S
from jobmill.application.run import Interrupt
from jobmill.domain.failure import FailureKind
from jobmill.domain.states import JobState

from tests.builders import SECOND
from tests.unit.application.batching import Jobs, Press, all_succeed, all_wait, press_in
from tests.world import World


@pytest.fixture
async def press(world: World) -> Press:
    """A call has up to four jobs and may take twenty seconds."""
    return press_in(world, timeout=20 * SECOND)


async def test_all_jobs_of_a_call_share_its_deadline(press: Press) -> None:
    press.works[:] = [all_wait]
    jobs = await press.submits({})
    await press.world.passes(0.08)
    jobs += await press.submits({})

    await press.world.passes(20)
    before = press.world.states()
    await press.world.passes(0.1)

    assert before == [JobState.PROCESSING] * 2
    rows = [press.world.job(job) for job in jobs]
    assert [row.error_kind for row in rows] == [FailureKind.TIMEOUT] * 2
    assert rows[0].error == "took longer than its timeout of 20 s"


async def test_the_time_that_a_job_waits_for_others_is_not_its_own(world: World) -> None:
    press = press_in(world, wait=9 * SECOND)
    press.works[:] = [all_succeed]
    [job] = await press.submits({}, timeout=2 * SECOND)

    await world.passes(10)

    assert (world.job(job).state, world.job(job).attempt) == (JobState.SUCCEEDED, 1)


async def test_what_was_said_before_the_deadline_holds(press: Press) -> None:
    async def work(jobs: Jobs) -> None:
        jobs[0].succeed("done")
        await asyncio.sleep(1_000)

    said, unsaid = await press.runs(work, {}, {}, within_s=21)

    assert (said.state, said.result) == (JobState.SUCCEEDED, '"done"')
    assert unsaid.error_kind is FailureKind.TIMEOUT


async def test_a_job_with_a_shorter_time_of_its_own_learns_of_its_end_and_the_call_goes_on(
    press: Press,
) -> None:
    async def work(jobs: Jobs) -> None:
        await asyncio.sleep(8)
        for job in jobs:
            if not job.cancelled:
                job.succeed()

    press.works[:] = [work]
    [short] = await press.submits({}, timeout=5 * SECOND)
    [long] = await press.submits({})
    await press.world.passes(9)

    assert press.sizes == [2]
    assert press.world.job(short).error_kind is FailureKind.TIMEOUT
    assert press.world.job(long).state is JobState.SUCCEEDED


async def test_a_job_that_is_cancelled_by_a_person_stops_alone(press: Press) -> None:
    async def work(jobs: Jobs) -> None:
        await asyncio.sleep(15)
        for job in jobs:
            if not job.cancelled:
                job.succeed()

    press.works[:] = [work]
    stopped, other = await press.submits({}, {})
    await press.world.passes(1)
    await press.world.client.operator.cancel(stopped.id)
    await press.world.passes(15)

    assert press.world.job(stopped).state is JobState.CANCELLED
    assert press.world.job(other).state is JobState.SUCCEEDED


async def test_a_cancelled_job_that_succeeds_all_the_same_has_succeeded(press: Press) -> None:
    async def work(jobs: Jobs) -> None:
        await asyncio.sleep(15)
        await all_succeed(jobs)

    press.works[:] = [work]
    asked, _ = await press.submits({}, {})
    await press.world.passes(1)
    await press.world.client.operator.cancel(asked.id)
    await press.world.passes(15)

    assert press.calls[0].jobs[0].cancelled
    assert press.world.job(asked).state is JobState.SUCCEEDED


async def test_a_call_all_of_whose_jobs_are_cancelled_ends(press: Press) -> None:
    press.works[:] = [all_wait]
    jobs = await press.submits({}, {})
    await press.world.passes(1)
    for job in jobs:
        await press.world.client.operator.cancel(job.id)
    await press.world.passes(10)

    assert press.world.states() == [JobState.CANCELLED] * 2
    assert press.node.consumer.running == 0


async def test_a_job_that_is_lost_says_nothing_more_and_the_others_do(press: Press) -> None:
    async def work(jobs: Jobs) -> None:
        await asyncio.sleep(5)
        await all_succeed(jobs)

    press.works[:] = [work]
    lost, other = await press.submits({}, {})
    await press.world.passes(1)
    taken = press.world.job(lost)
    press.world.tables.jobs[lost.id] = taken.changed(version=taken.version + 1, attempt=2)
    press.run_of(lost).stop(Interrupt.LEASE_LOST)
    await press.world.passes(5)

    assert (press.world.job(lost).state, press.world.job(lost).attempt) == (JobState.PROCESSING, 2)
    assert press.world.job(other).state is JobState.SUCCEEDED
    assert "outcome refused" in [event for event, _ in press.node.notes.events]


async def test_a_job_that_is_stopped_while_it_waits_for_others_is_not_in_the_call(world: World) -> None:
    press = press_in(world, wait=9 * SECOND)
    press.works[:] = [all_succeed]
    gone, stays = await press.submits({}, {})
    await world.passes(1)

    await world.client.operator.cancel(gone.id)
    await world.passes(9)

    assert [[job.job_id for job in call.jobs] for call in press.calls] == [[stays.id]]
    assert world.job(gone).state is JobState.CANCELLED
    assert world.job(stays).state is JobState.SUCCEEDED


async def test_a_job_that_left_makes_room_for_another(world: World) -> None:
    press = press_in(world, wait=9 * SECOND)
    press.works[:] = [all_succeed]
    gone, _ = await press.submits({}, {})
    await world.client.operator.cancel(gone.id)
    await world.passes(7)

    await press.submits({}, {})
    await world.passes(0.1)
    before = press.sizes[:]
    await press.submits({})
    await world.passes(0.1)

    assert (world.job(gone).state, before, press.sizes) == (JobState.CANCELLED, [], [4])


async def test_a_call_that_everybody_left_is_not_begun(world: World) -> None:
    press = press_in(world, wait=9 * SECOND)
    press.works[:] = [all_succeed]
    [job] = await press.submits({})
    await world.passes(1)

    await world.client.operator.cancel(job.id)
    await world.passes(20)

    assert (world.job(job).state, press.sizes) == (JobState.CANCELLED, [])


async def test_a_job_that_is_stopped_when_its_call_is_about_to_begin_is_not_in_it(world: World) -> None:
    press = press_in(world, wait=9 * SECOND)
    press.works[:] = [all_succeed]
    gone, stays = await press.submits({}, {})
    await world.passes(1)

    press.node.runner.hurry()
    press.run_of(gone).stop(Interrupt.SHUTDOWN)
    await world.turns(3)

    assert [[job.job_id for job in call.jobs] for call in press.calls[:1]] == [[stays.id]]


async def test_a_worker_that_ends_begins_at_once_what_it_has_gathered(world: World) -> None:
    press = press_in(world, wait=9 * SECOND)
    press.works[:] = [all_succeed]
    [job] = await press.submits({})
    await world.passes(1)
    began_s = asyncio.get_running_loop().time()

    await press.node.stop()

    assert press.calls[0].at_s - began_s < 0.1
    assert (world.job(job).state, world.job(job).attempt) == (JobState.SUCCEEDED, 1)


async def test_a_worker_that_ends_hands_back_what_does_not_end_in_time(world: World) -> None:
    press = press_in(world)
    await press.runs(all_wait, {}, {})

    await press.node.stop()

    rows = world.tables.jobs.values()
    assert [(job.state, job.attempt) for job in rows] == [(JobState.QUEUED, 0)] * 2


async def test_a_batch_handler_that_ignores_its_end_keeps_its_slots_and_loses_its_leases(
    press: Press,
) -> None:
    async def work(jobs: Jobs) -> None:
        try:
            await asyncio.sleep(1_000)
        except asyncio.CancelledError:
            await asyncio.sleep(CANCEL_GRACE_S + 20)
        await all_succeed(jobs)

    await press.runs(work, {}, {}, within_s=21)
    assert press.node.consumer.running == 2
    await press.world.passes(CANCEL_GRACE_S + 9)

    ignored = [f for event, f in press.node.notes.events if event == "handler ignores its cancellation"]
    assert len(ignored) == 2


async def test_jobs_of_a_worker_that_died_in_a_call_are_tried_again(press: Press) -> None:
    jobs = await press.submits({}, {}, {})
    press.works[:] = [all_wait]
    await press.world.passes(1)

    press.node.kill()
    press.works[:] = [all_succeed]
    press.world.node()
    await press.world.passes(timedelta(minutes=2).total_seconds())

    rows = [press.world.job(job) for job in jobs]
    assert [(row.state, row.attempt) for row in rows] == [(JobState.SUCCEEDED, 2)] * 3
    assert press.sizes == [3, 1, 1, 1], "each of them is a suspect and runs alone"
