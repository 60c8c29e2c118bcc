"""Belief in a lease, asked once more where a handler is about to be called (rule 30)."""

import asyncio

from jobmill.application.run import Interrupt

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
