"""Belief in a lease, asked once more where a handler is about to be called (rule 30)."""

import asyncio

from jobmill.application.run import Interrupt
from jobmill.domain.states import JobState

from tests.unit.application.batching import all_succeed, press_in
from tests.world import World


async def test_no_handler_is_called_once_belief_is_over_though_no_timer_was_heard(world: World) -> None:
    """A process that stood still comes to what was ready before it comes to its timers."""
    node = world.node(starts=False)
    [run] = (await node.claimer.claim([world.has()])).runs
    node.keeper.watch([run])
    run.look_again()
    assert run.interrupt is None

    run.believes_until_s = asyncio.get_running_loop().time()
    run.look_again()

    assert run.interrupt is Interrupt.LEASE_LOST


async def test_no_batch_handler_is_called_for_a_job_in_whose_lease_belief_is_over(world: World) -> None:
    """The process stood still while the call was gathered: its own time came before the leases' timer."""
    press = press_in(world)
    press.works[:] = [all_succeed]
    believed, doubtful = await press.submits({}, {})
    await world.passes(0.05)
    assert press.calls == [], "both are claimed and wait for company"

    run = press.run_of(doubtful)
    run.believes_until_s = asyncio.get_running_loop().time()
    await world.passes(0.1)

    assert [[job.job_id for job in call.jobs] for call in press.calls] == [[believed.id]]
    assert run.interrupt is Interrupt.LEASE_LOST
    rows = [world.job(job) for job in (believed, doubtful)]
    assert [(row.state, row.attempt) for row in rows] == [
        (JobState.SUCCEEDED, 1),
        (JobState.PROCESSING, 1),
    ], "what became of the other is for its lease to tell"


async def test_no_batch_handler_is_called_where_belief_in_all_leases_is_over(world: World) -> None:
    press = press_in(world)
    await press.submits({}, {})
    await world.passes(0.05)

    for run in press.node.keeper.runs:
        run.believes_until_s = asyncio.get_running_loop().time()
    await world.passes(0.1)

    assert press.calls == []
    assert press.node.consumer.running == 0
