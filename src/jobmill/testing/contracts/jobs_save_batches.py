"""``JobRepository.save`` of batches: the rules hold for every move, whatever the others in its batch are.

An adapter may save common moves by other means than rare ones, and both together by yet others. So each rule
is asked for in a batch of each kind.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from attrs import evolve

from jobmill.application.ports.job_repository import Saved, Stale
from jobmill.domain.failure import FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.transition import Transition
from jobmill.testing.builders import HOUR, MINUTE, a_job, a_stamp, failed, started, succeeded
from jobmill.testing.contracts.store_world import StoreWorld

Neighbour = Callable[[StoreWorld], Awaitable[Transition]]


async def _a_start(world: StoreWorld) -> Transition:
    return started(await world.queued(), now=world.now)


async def _a_success(world: StoreWorld) -> Transition:
    return succeeded(await world.running(), result='"done"', now=world.now)


async def _a_failure(world: StoreWorld) -> Transition:
    return failed(await world.running(), now=world.now)


async def _a_start_elsewhere(world: StoreWorld) -> Transition:
    return started(await world.queued(), worker="worker-2", lease=2 * HOUR, now=world.now)


NEIGHBOURS: Final = (_a_start, _a_success, _a_failure, _a_start_elsewhere)
every_neighbour = pytest.mark.parametrize("neighbour", NEIGHBOURS, ids=lambda each: each.__name__.strip("_"))


async def _is_stale(world: StoreWorld, move: Transition, neighbour: Neighbour) -> bool:
    """Save the move beside a neighbour, which is saved; a stale one leaves its row as it was."""
    before, beside = await world.store.jobs.get([move.job.id]), await neighbour(world)

    answer, other = await world.store.jobs.save([move, beside])

    assert isinstance(other, Saved)
    assert other.job == await world.seen(beside.job)
    if answer != Stale(job_id=move.job.id):
        return False
    return before == await world.store.jobs.get([move.job.id])


def _ends(job: Job, world: StoreWorld) -> list[Transition]:
    return [succeeded(job, now=world.now), failed(job, now=world.now)]


@every_neighbour
async def test_no_move_passes_a_fence_that_is_not_the_rows(world: StoreWorld, neighbour: Neighbour) -> None:
    waiting, running = await world.queued(), await world.running()
    changes: tuple[dict[str, Any], ...] = ({"stamp": a_stamp()}, {"version": waiting.version + 4})
    for change in changes:
        for move in (
            started(evolve(waiting, **change), now=world.now),
            *_ends(evolve(running, **change), world),
        ):
            assert await _is_stale(world, move, neighbour), (move.fact, change)


@every_neighbour
async def test_no_move_passes_another_state_than_it_was_decided_on(
    world: StoreWorld, neighbour: Neighbour
) -> None:
    waiting, done = await world.queued(), await world.done()
    believed = evolve(waiting, state=JobState.PROCESSING, attempt=1)

    assert await _is_stale(world, started(evolve(done, state=JobState.QUEUED), now=world.now), neighbour)
    for move in _ends(believed, world):
        assert await _is_stale(world, move, neighbour), move.fact


@every_neighbour
async def test_no_start_passes_its_guard(world: StoreWorld, neighbour: Neighbour) -> None:
    early = evolve(await world.retrying(due_in=HOUR), retry_at=None)
    late = evolve(await world.out_of_time(), expires_at=None)
    stopped = evolve(await world.stopped_while_it_ran(), stop_asked=False)
    spent = evolve(await world.has(a_job(now=world.now, attempt=3, max_attempts=3)), attempt=0)

    for job in (early, late, stopped, spent):
        assert await _is_stale(world, started(job, now=world.now), neighbour)


@every_neighbour
async def test_every_move_of_a_batch_is_in_the_store_as_it_was_decided(
    world: StoreWorld, neighbour: Neighbour
) -> None:
    """Nothing is written that the move does not change, and all that it does."""
    facts = {
        "ttl": 3 * HOUR,
        "expires_at": world.now + 3 * HOUR,
        "tags": ("a",),
        "tenant": "t",
        "suspect": True,
    }
    again = await world.retrying(due_in=-HOUR, **facts)
    tried = await world.saved(started(await world.retrying(due_in=-HOUR, **facts), now=world.now))
    assert again.error is not None
    assert tried.error_kind is FailureKind.TRANSIENT
    moves = [started(again, now=world.now), succeeded(tried, result='{"a":1}', now=world.now + MINUTE)]

    answers = await world.store.jobs.save([*moves, await neighbour(world)])

    for move, answer in zip(moves, answers, strict=False):
        assert isinstance(answer, Saved)
        row = await world.seen(move.job)
        assert row == answer.job == evolve(move.job, lease_until=row.lease_until)


@every_neighbour
async def test_every_start_of_a_batch_has_its_own_worker_and_lease(
    world: StoreWorld, neighbour: Neighbour
) -> None:
    jobs = [await world.queued() for _ in range(3)]
    leases = [timedelta(seconds=1.5), HOUR, -MINUTE]
    starts = [
        started(job, worker=f"worker {at}", lease=lease, now=world.now - 10 * HOUR)
        for at, (job, lease) in enumerate(zip(jobs, leases, strict=True))
    ]

    await world.store.jobs.save([*starts, await neighbour(world)])

    for at, (job, lease) in enumerate(zip(jobs, leases, strict=True)):
        row = await world.seen(job)
        assert row.worker == f"worker {at}"
        assert row.lease_until is not None
        assert abs(row.lease_until - world.now - lease) < MINUTE / 2


@every_neighbour
async def test_a_batch_says_of_every_job_what_stands_outside_its_fence(
    world: StoreWorld, neighbour: Neighbour
) -> None:
    ending, waiting = await world.running(), await world.queued()
    await world.store.leases.ask_to_stop([ending.id])
    await world.store.outbox.announce([waiting.fence], rows=[a_stamp()])
    moves = [succeeded(ending, now=world.now), started(waiting, now=world.now), await neighbour(world)]

    ended, begun, _ = await world.store.jobs.save(moves)

    assert isinstance(ended, Saved)
    assert isinstance(begun, Saved)
    assert (ended.job.stop_asked, ended.job.lease_until) == (True, None)
    assert (begun.job.announces, begun.job.lease_until is not None) == (0, True)
    for job in (ended.job, begun.job):
        row = await world.seen(job)
        assert evolve(row, announced_at=None) == evolve(job, announced_at=None)


async def test_saving_a_batch_again_is_answered_like_the_first_time(world: StoreWorld) -> None:
    moves = [await neighbour(world) for neighbour in NEIGHBOURS]
    first = await world.store.jobs.save(moves)

    assert await world.store.jobs.save(moves) == first
    assert await world.store.jobs.save(moves[:2]) == first[:2]
