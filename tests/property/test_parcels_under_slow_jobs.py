"""Parcels fall apart where jobs are slow, so that no worker idles for long, and stay whole where quick."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from jobmill.application.handlers import JobContext
from jobmill.application.parcels import PARCEL_JOBS_MAX
from jobmill.domain.states import JobState

from tests.carriage import HOLD_S, CountingBroker, slots_used
from tests.virtual_time import VirtualTimeLoop, run_virtually
from tests.world import World

#: Between two looks; what a worker does at a moment is done before a look at that moment.
LOOK_EVERY_S: Final = 0.11
#: A look may come so much later than a moment by the rounding of times.
ROUNDING_S: Final = 1e-6
#: The last worker waits until a parcel has been halved down to it.
HALVINGS: Final = math.ceil(math.log2(PARCEL_JOBS_MAX))

crews = st.lists(st.sampled_from([1, 2, 3, 7, 10, 25, 60]), min_size=1, max_size=5)


async def takes_as_long_as_it_says(payload: Mapping[str, Any], _context: JobContext) -> object:
    await asyncio.sleep(payload["s"])
    return None


async def a_world(crew: Sequence[int], *, seed: int) -> World:
    """Workers with so many slots each, all of them waiting for work."""
    world = World(
        work=takes_as_long_as_it_says, seed=seed, timeout=timedelta(hours=1), broker_type=CountingBroker
    )
    for slots in crew:
        world.node(concurrency=slots)
    await world.passes(1)
    return world


def broker_of(world: World) -> CountingBroker:
    assert isinstance(world.broker, CountingBroker)
    return world.broker


def check_spread(world: World) -> None:
    """Hold the moment against the rule, as the broker sees it."""
    used = slots_used(world)
    idle = [node.name for node in world.nodes[1:] if used[node.name] < (node.concurrency or 0)]
    for each in broker_of(world).waits(world):
        who = f"{each.node.name} keeps {len(each.ids)} jobs, {each.for_s:g} s after they came; idle: {idle}"
        assert each.for_s <= HOLD_S + ROUNDING_S, who
        assert each.node.name not in idle, f"{who}: it has a slot for one itself"
    assert not (idle and broker_of(world).messages_ready), f"messages lie in the lane; idle: {idle}"


async def look_until_all_is_done(world: World) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    while any(state is not JobState.SUCCEEDED for state in world.states()):
        await asyncio.sleep(LOOK_EVERY_S)
        await loop.stillness()
        check_spread(world)


@settings(max_examples=15)
@given(
    crew=crews,
    units=st.lists(st.integers(1, 60), min_size=1, max_size=3),
    slowest_s=st.sampled_from([0.3, 2.0, 10.0]),
    seed=st.integers(0, 2**16),
)
def test_no_worker_idles_while_another_holds_more_than_it_has_slots_for(
    crew: list[int], units: list[int], slowest_s: float, seed: int
) -> None:
    """For longer than the hold time; and none idles at all while anything lies in the lane."""

    async def play() -> None:
        world = await a_world(crew, seed=seed)
        chance = Random(seed)
        for count in units:
            await world.submit(count=count, payload={"s": chance.uniform(0.1, slowest_s)})
        await look_until_all_is_done(world)

        assert len(world.runs) == sum(units)

    run_virtually(play())


@settings(max_examples=15)
@given(
    crew=st.lists(st.integers(1, 4), min_size=1, max_size=12),
    count=st.integers(1, PARCEL_JOBS_MAX),
    seed=st.integers(0, 2**16),
)
def test_one_parcel_of_slow_jobs_fills_every_slot_while_it_is_halved(
    crew: list[int], count: int, seed: int
) -> None:
    async def play() -> None:
        world = await a_world(crew, seed=seed)
        began_s = asyncio.get_running_loop().time()
        await world.submit(count=count, payload={"s": 100.0})
        await world.passes(HALVINGS * HOLD_S + LOOK_EVERY_S)

        assert slots_used(world).total() == min(count, sum(crew))
        assert max(ran.started_s for ran in world.runs) - began_s <= HALVINGS * HOLD_S + ROUNDING_S

    run_virtually(play())


@settings(max_examples=15)
@given(
    workers=st.integers(1, 5),
    slots=st.sampled_from([1, 5, 10, 30, 60]),
    units=st.lists(st.integers(1, PARCEL_JOBS_MAX), min_size=1, max_size=8),
    seed=st.integers(0, 2**16),
)
def test_parcels_of_quick_jobs_stay_whole(workers: int, slots: int, units: list[int], seed: int) -> None:
    """Quick are jobs of which a worker begins all it has in hand within the hold time."""
    in_hand = (math.ceil(slots / PARCEL_JOBS_MAX) + 1) * PARCEL_JOBS_MAX
    quick_s = 0.9 * HOLD_S * slots / in_hand

    async def play() -> None:
        world = await a_world(workers * [slots], seed=seed)
        for count in units:
            await world.submit(count=count, payload={"s": quick_s})
        await look_until_all_is_done(world)

        broker = broker_of(world)
        assert sum(broker.sizes) == sum(units)
        assert broker.deliveries == len(broker.sizes)
        assert set(broker.announced.values()) == {1}

    run_virtually(play())


def test_workers_of_one_slot_share_one_parcel_job_by_job() -> None:
    """Strict and fair: what waits falls to single jobs, and nobody has a second one before all have one."""

    async def play() -> None:
        world = await a_world(5 * [1], seed=1)
        await world.submit(count=PARCEL_JOBS_MAX, payload={"s": 5.0})
        await look_until_all_is_done(world)

        shares = [sum(ran.node is node for ran in world.runs) for node in world.nodes[1:]]
        assert shares == 5 * [PARCEL_JOBS_MAX // 5]
        assert broker_of(world).sizes[-1] == 1

    run_virtually(play())
