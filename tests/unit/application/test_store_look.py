"""One look for whoever asks, now and then; a store that is away or slow holds nobody up."""

import asyncio
from collections.abc import Awaitable

import pytest
from attrs import define, field

from jobmill.adapters.memory import MemoryStore
from jobmill.adapters.memory.clocks import LoopClock
from jobmill.application.backlog import GOOD_FOR_S, GOOD_FOR_TIMES
from jobmill.application.errors import StorageUnavailable
from jobmill.application.ports.job_repository import NewJob
from jobmill.application.store_look import WITHIN_S, StoreLook
from jobmill.domain.states import JobState

from tests.builders import a_job

QUEUED = ("default", JobState.QUEUED)


@define(eq=False, slots=False)
class Looking:
    """A store that takes its time, and counts how often it is asked to count."""

    takes_s: float = 0.0
    is_away: bool = False
    counted: int = 0
    clock: LoopClock = field(factory=LoopClock)

    def __attrs_post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock, faults=self._meets)
        self.look = StoreLook(finder=self.store.finder, providers=self.store.providers)

    async def has_a_job(self) -> None:
        await self.store.jobs.add([[NewJob(job=a_job(now=self.clock.now()))]])

    async def queued(self) -> int | None:
        figures = await self.look.figures()
        return None if figures is None else figures.counts.get(QUEUED, 0)

    def _meets(self, moment: str) -> Awaitable[None] | None:
        if moment != "before finder.counts":
            return None
        self.counted += 1
        if self.is_away:
            raise StorageUnavailable("away")
        return asyncio.sleep(self.takes_s)


@pytest.fixture
def looking() -> Looking:
    return Looking()


async def test_a_look_is_good_for_some_seconds(looking: Looking) -> None:
    assert await looking.queued() == 0
    await looking.has_a_job()

    assert await looking.queued() == 0
    await asyncio.sleep(GOOD_FOR_S)
    assert await looking.queued() == 1
    assert looking.counted == 2


async def test_those_who_ask_together_share_a_look(looking: Looking) -> None:
    looking.takes_s = 1.0

    assert await asyncio.gather(*(looking.queued() for _ in range(5))) == [0] * 5
    assert looking.counted == 1


async def test_a_slow_look_is_good_for_longer(looking: Looking) -> None:
    looking.takes_s = 1.0
    await looking.queued()

    await asyncio.sleep(0.9 * GOOD_FOR_TIMES)
    await looking.queued()
    assert looking.counted == 1
    await asyncio.sleep(0.2 * GOOD_FOR_TIMES)
    await looking.queued()
    assert looking.counted == 2


async def test_nobody_waits_for_long_and_the_look_goes_on(looking: Looking) -> None:
    looking.takes_s = 1.5 * WITHIN_S
    await looking.has_a_job()
    began_s = asyncio.get_running_loop().time()

    assert await looking.queued() is None
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(WITHIN_S)
    assert await looking.queued() == 1
    assert looking.counted == 1


async def test_of_a_store_that_is_away_nothing_is_known_and_it_is_left_alone_for_a_while(
    looking: Looking,
) -> None:
    await looking.queued()
    looking.is_away = True
    await asyncio.sleep(GOOD_FOR_S)

    assert await looking.queued() is None  # what was seen before is not told for now
    looking.is_away = False
    assert await looking.queued() is None
    assert looking.counted == 2
    await asyncio.sleep(GOOD_FOR_S)
    assert await looking.queued() == 0
