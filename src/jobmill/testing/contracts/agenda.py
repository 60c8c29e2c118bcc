"""``Agenda``: one look shows where it is worth looking closer."""

from datetime import timedelta

from jobmill.application.ports.agenda import Errands
from jobmill.testing.builders import DAY, HOUR, MINUTE, a_stamp, succeeded
from jobmill.testing.contracts.store_world import StoreWorld

NOTHING = Errands(runs=False, waits=False, is_due=False, is_left=False)
AT_ONCE = timedelta(0)


async def look(world: StoreWorld, *, left_after: timedelta = HOUR) -> Errands:
    return await world.store.agenda.look(left_after=left_after)


async def test_an_empty_store_leaves_nothing_to_do(world: StoreWorld) -> None:
    assert await look(world, left_after=AT_ONCE) == NOTHING


async def test_finished_jobs_leave_nothing_to_do(world: StoreWorld) -> None:
    running = await world.running()
    await world.saved(succeeded(running, now=world.now))
    assert await world.store.outbox.pending(limit=10, older_than=AT_ONCE) == []  # forgets what is over

    assert await look(world, left_after=AT_ONCE) == NOTHING


async def test_a_running_job_is_told(world: StoreWorld) -> None:
    await world.running()

    seen = await look(world)

    assert (seen.runs, seen.waits, seen.is_due) == (True, False, False)


async def test_a_queued_job_and_its_row_are_told_by_the_age_of_the_row(world: StoreWorld) -> None:
    await world.queued()

    young = await look(world)
    old = await look(world, left_after=AT_ONCE)

    assert (young.runs, young.waits, young.is_due, young.is_left) == (False, True, False, False)
    assert old.is_left


async def test_a_scheduled_or_retrying_job_whose_time_has_come_is_told(world: StoreWorld) -> None:
    scheduled = await world.scheduled(due_in=-MINUTE)
    assert (await look(world)).is_due

    await world.saved(scheduled.release(now=world.now, stamp=a_stamp()))
    assert not (await look(world)).is_due

    await world.retrying(due_in=-2 * HOUR)
    assert (await look(world)).is_due


async def test_a_job_whose_time_to_live_is_over_is_told(world: StoreWorld) -> None:
    await world.out_of_time(ago=-HOUR)
    assert not (await look(world)).is_due

    await world.out_of_time(ago=MINUTE)
    assert (await look(world)).is_due


async def test_a_waiting_job_that_was_asked_to_stop_is_told(world: StoreWorld) -> None:
    await world.stopped_while_it_ran()

    assert (await look(world)).is_due


async def test_a_running_job_that_was_asked_to_stop_is_not_due(world: StoreWorld) -> None:
    running = await world.running()
    await world.store.leases.ask_to_stop([running.id])

    assert not (await look(world)).is_due


async def test_the_next_time_to_come_is_told_as_a_wait(world: StoreWorld) -> None:
    await world.scheduled(due_in=2 * HOUR)
    await world.scheduled(due_in=HOUR)
    await world.scheduled(due_in=DAY)

    seen = await look(world)

    assert not seen.is_due
    assert seen.next_due is not None
    assert HOUR - MINUTE < seen.next_due <= HOUR


async def test_what_has_come_already_is_no_time_to_come(world: StoreWorld) -> None:
    await world.scheduled(due_in=-HOUR)
    await world.queued()

    assert (await look(world)).next_due is None
