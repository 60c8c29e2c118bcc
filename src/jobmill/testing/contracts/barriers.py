"""``Barriers``: one for each lane, and what has no notice once it is back."""

from attrs import evolve

from jobmill.domain.states import JobState
from jobmill.testing.builders import HOUR, MINUTE, SECOND, a_job_that_is, an_id, failed
from jobmill.testing.contracts.lane_world import (
    LANE,
    LOW,
    NOTHING,
    OTHER,
    a_barrier,
    came_back,
    lost,
    waiting,
)
from jobmill.testing.contracts.store_world import StoreWorld

# ---- the record


async def test_at_first_no_lane_has_a_barrier(world: StoreWorld) -> None:
    assert await world.store.barriers.records() == []


async def test_a_barrier_that_was_begun_is_under_way(world: StoreWorld) -> None:
    barrier = a_barrier(world.now - MINUTE)

    assert await world.store.barriers.begin(barrier, replaces=None)

    [record] = await world.store.barriers.records()
    assert (record.barrier, record.is_back) == (barrier, False)
    assert NOTHING <= record.since < MINUTE


async def test_only_one_barrier_is_under_way_in_a_lane(world: StoreWorld) -> None:
    first, second, elsewhere = a_barrier(world.now), a_barrier(world.now), a_barrier(world.now, lane=LOW)
    await world.store.barriers.begin(first, replaces=None)

    assert not await world.store.barriers.begin(second, replaces=None)
    assert not await world.store.barriers.begin(second, replaces=an_id())
    assert await world.store.barriers.begin(elsewhere, replaces=None)

    records = await world.store.barriers.records()
    assert {record.barrier for record in records} == {first, elsewhere}


async def test_a_lane_without_a_barrier_has_none_to_be_replaced(world: StoreWorld) -> None:
    assert not await world.store.barriers.begin(a_barrier(world.now), replaces=an_id())

    assert await world.store.barriers.records() == []


async def test_a_barrier_gives_way_to_whoever_knows_it(world: StoreWorld) -> None:
    first = await came_back(world, before=world.now)
    second = a_barrier(world.now - HOUR)

    assert await world.store.barriers.begin(second, replaces=first.id)

    [record] = await world.store.barriers.records()
    assert (record.barrier, record.is_back) == (second, False)


async def test_to_begin_the_same_barrier_twice_is_harmless(world: StoreWorld) -> None:
    first, second = a_barrier(world.now), a_barrier(world.now)

    assert await world.store.barriers.begin(first, replaces=None)
    assert await world.store.barriers.begin(first, replaces=None)
    assert await world.store.barriers.begin(second, replaces=first.id)
    assert await world.store.barriers.begin(second, replaces=first.id)


async def test_a_barrier_comes_back_once(world: StoreWorld) -> None:
    barrier = await came_back(world, before=world.now)
    [once] = await world.store.barriers.records()

    assert await world.store.barriers.came_back(barrier)

    [twice] = await world.store.barriers.records()
    assert once.is_back
    assert twice.since >= once.since


async def test_a_barrier_that_is_not_the_last_of_its_lane_proves_nothing(world: StoreWorld) -> None:
    stale, last = a_barrier(world.now), a_barrier(world.now)
    await world.store.barriers.begin(stale, replaces=None)
    await world.store.barriers.begin(last, replaces=stale.id)

    for forged in (stale, a_barrier(world.now), evolve(last, lane=LOW), a_barrier(world.now, lane=OTHER)):
        assert not await world.store.barriers.came_back(forged)

    [record] = await world.store.barriers.records()
    assert (record.barrier, record.is_back) == (last, False)


async def test_a_broker_that_starts_over_has_no_barriers(world: StoreWorld) -> None:
    await waiting(world)
    await world.forgets_all_notices()
    barrier = await came_back(world, before=world.now)

    await world.store.epochs.begin("another life")

    assert await world.store.barriers.records() == []
    assert not await world.store.barriers.came_back(barrier)
    assert await lost(world, barrier) == []


# ---- where one is wanted


async def test_a_lane_where_nothing_waits_wants_no_barrier(world: StoreWorld) -> None:
    for state in set(JobState) - {JobState.QUEUED}:
        await world.has(a_job_that_is(state, now=world.now - HOUR))
    await world.forgets_all_notices()

    assert await world.store.barriers.wanted([LANE, LOW, OTHER], margin=NOTHING) == []


async def test_a_lane_where_a_job_has_waited_for_long_wants_one(world: StoreWorld) -> None:
    await waiting(world)
    await world.forgets_all_notices()

    [(lane, before)] = await world.store.barriers.wanted([LOW, LANE, OTHER], margin=MINUTE)

    assert lane == LANE
    assert world.now - MINUTE - 5 * SECOND < before < world.now - MINUTE + SECOND


async def test_a_lane_is_not_asked_for_another(world: StoreWorld) -> None:
    await waiting(world)
    await world.forgets_all_notices()

    assert await world.store.barriers.wanted([LOW, OTHER], margin=MINUTE) == []


async def test_a_job_announced_within_the_margin_wants_none(world: StoreWorld) -> None:
    await waiting(world, ago=MINUTE)
    await world.forgets_all_notices()

    assert await world.store.barriers.wanted([LANE], margin=HOUR) == []


async def test_nothing_is_judged_that_may_still_be_in_the_outbox(world: StoreWorld) -> None:
    """A notice that is published after the barrier stands behind it in the line."""
    await waiting(world, ago=HOUR)
    await world.forgets_all_notices()
    await waiting(world, ago=NOTHING, lane=LOW)
    written = world.now

    [(_, before)] = await world.store.barriers.wanted([LANE], margin=MINUTE)

    assert before <= written - MINUTE


async def test_rows_for_elsewhere_hold_up_no_barrier(world: StoreWorld) -> None:
    await waiting(world)
    await world.forgets_all_notices()
    await waiting(world, lane=OTHER)
    await world.saved(failed(await world.running()))  # to the ladder
    await world.dead()

    wanted = dict(await world.store.barriers.wanted([LANE], margin=NOTHING))

    assert wanted[LANE] > world.now - SECOND


async def test_a_queue_that_takes_nothing_wants_none(world: StoreWorld) -> None:
    await waiting(world)
    await waiting(world, lane=OTHER)
    await world.forgets_all_notices()

    wanted = await world.store.barriers.wanted([LANE, OTHER], margin=MINUTE, without=["email"])

    assert [lane for lane, _ in wanted] == [OTHER]


async def test_the_rows_of_a_queue_that_takes_nothing_hold_up_no_other(world: StoreWorld) -> None:
    await waiting(world)
    await world.forgets_all_notices()
    await world.add(*[a_job_that_is(JobState.QUEUED, now=world.now, queue="stuck") for _ in range(1_001)])

    wanted = await world.store.barriers.wanted([LANE], margin=NOTHING, without=["stuck"])

    assert [lane for lane, _ in wanted] == [LANE]
