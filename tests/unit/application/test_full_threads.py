"""Jobs that find no free thread: they wait their turn, and hold up nobody who needs none."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from attrs import define

from jobmill.application.handlers import JobHandlers, Registry
from jobmill.application.hold_times import HOLD_S, PARCEL_KEPT
from jobmill.application.ports.executors import Threads
from jobmill.application.ports.message_bus import Parcel, PublishOutcome
from jobmill.domain.states import JobState

from tests.nodes import Node
from tests.unit.application.lanes import sizes
from tests.world import World

THREADS = 32


@define(eq=False)
class TimedThreads(Threads):
    """Threads in virtual time: each call takes ``seconds``."""

    seconds: float
    size: int = THREADS
    at_work: int = 0
    most_at_work: int = 0

    def start(self, call: Callable[[], None]) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        loop.call_later(self.seconds, self._end, call, ended)
        return ended

    def _end(self, call: Callable[[], None], ended: "asyncio.Future[None]") -> None:
        self.at_work -= 1
        call()
        ended.set_result(None)


class Ledger(Counter[str]):
    """How many jobs of each type have run."""


@pytest.fixture
async def ran() -> Ledger:
    return Ledger()


@pytest.fixture
async def world(ran: Ledger) -> World:
    """Two types in one queue: ``block`` needs a thread, ``quick`` needs none."""
    handlers = JobHandlers()

    @handlers.register("block")
    def block(payload: dict[str, Any]) -> None:
        ran["block"] += 1

    @handlers.register("quick")
    async def quick(payload: dict[str, Any]) -> None:
        ran["quick"] += 1

    made = World()
    made.registry = Registry([handlers])
    made.client = made.node(concurrency=None)
    await made.node(starts=False).reconciler.step()  # a new broker is marked before
    return made


async def test_blocking_jobs_do_not_delay_one_that_needs_no_thread(world: World, ran: Ledger) -> None:
    threads = TimedThreads(seconds=0.5)
    await world.submit(type="block", count=200)
    await world.submit(type="quick")
    world.node(concurrency=100, threads=threads)

    await world.until(lambda: ran["quick"])

    assert ran["block"] < 100, "most of those before it have not run yet"
    await world.until(lambda: ran["block"] == 200, within_s=10)
    assert threads.most_at_work == THREADS


async def test_no_thread_idles_for_long_while_jobs_wait(world: World, ran: Ledger) -> None:
    await world.submit(type="block", count=1_000)
    world.node(concurrency=100, threads=TimedThreads(seconds=0.5))

    await world.until(lambda: ran["block"] == 1_000)

    least_s = 0.5 * 1_000 / THREADS
    assert asyncio.get_running_loop().time() < 1.3 * least_s


async def test_no_job_is_claimed_without_a_thread(world: World) -> None:
    await world.submit(type="block", count=200)
    node = world.node(concurrency=100, threads=TimedThreads(seconds=50))

    for _ in range(30):
        await world.passes(1)
        assert world.states().count(JobState.PROCESSING) == THREADS == node.consumer.running


async def test_a_lane_full_of_blocking_jobs_is_passed_through_and_not_churned(
    world: World, ran: Ledger
) -> None:
    """Every parcel is held for a while; so many go by as the prefetch allows, and they stay parcels."""
    await world.submit(type="block", count=500)
    await world.submit(type="quick", count=5)
    node = world.node(concurrency=100, threads=TimedThreads(seconds=3_000))
    sent = _sent_by(node)

    await world.until(lambda: ran["quick"] == 5, within_s=60)
    await world.passes(60)

    lasted_s = asyncio.get_running_loop().time()
    parcels_held = 3
    assert len(sent) <= (parcels_held * lasted_s / HOLD_S) * 2
    waiting = sizes(world)
    assert sum(waiting) >= 500 - THREADS - parcels_held * PARCEL_KEPT
    assert sum(waiting) / len(waiting) > PARCEL_KEPT / 2


async def test_long_jobs_in_threads_do_not_use_up_the_prefetch_of_their_lane(
    world: World, ran: Ledger
) -> None:
    """Parcels whose jobs all run are left to their leases, although others here wait for a thread."""
    world.node(concurrency=100, threads=TimedThreads(seconds=3_000, size=2))
    for _ in range(30):
        await world.submit(type="block")
        await world.turns()
    await world.submit(type="quick")

    await world.until(lambda: ran["quick"], within_s=15)


async def test_a_thread_that_is_stuck_costs_one_place_and_no_more(world: World, ran: Ledger) -> None:
    threads = TimedThreads(seconds=1, size=2)
    node = world.node(concurrency=10, threads=threads)
    stuck = asyncio.get_running_loop().create_future()
    start = threads.start
    calls: list[Callable[[], None]] = []

    def first_is_stuck(call: Callable[[], None]) -> "asyncio.Future[None]":
        calls.append(call)
        return stuck if len(calls) == 1 else start(call)

    node.runner.performer.threads.start = first_is_stuck  # type: ignore[method-assign]
    await world.submit(type="block", count=20)

    await world.until(lambda: ran["block"] >= 19)

    assert threads.most_at_work == 1


def _sent_by(node: Node) -> list[Parcel]:
    """What the node publishes from here on."""
    sent: list[Parcel] = []
    publish = node.bus.publish

    async def noting(parcels: list[Parcel]) -> list[PublishOutcome]:
        sent.extend(parcels)
        return list(await publish(parcels))

    node.bus.publish = noting  # type: ignore[method-assign,assignment]
    return sent
