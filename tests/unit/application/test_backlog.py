"""A queue takes so many jobs and no more, until some of them are delivered."""

import asyncio
from collections.abc import Mapping

import pytest
from attrs import define, field

from jobmill.application.backlog import GOOD_FOR_S, GOOD_FOR_TIMES, Backlog
from jobmill.application.errors import QueueFull, StorageUnavailable
from jobmill.domain.states import JobState

from tests.nodes import Node
from tests.world import World

MAX = 10


@define(eq=False)
class Counts:
    """A finder that is only ever asked for its counts."""

    numbers: Mapping[tuple[str, JobState], int] = field(factory=dict)
    asked: int = 0
    takes_s: float = 0.0
    is_away: bool = False

    async def counts(self) -> Mapping[tuple[str, JobState], int]:
        self.asked += 1
        numbers = dict(self.numbers)
        await asyncio.sleep(self.takes_s)
        if self.is_away:
            raise StorageUnavailable("away")
        return numbers


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def backlog(counts: Counts) -> Backlog:
    return Backlog(finder=counts, jobs_max=MAX)  # type: ignore[arg-type]


async def test_what_fits_exactly_is_taken_and_one_more_is_not(backlog: Backlog) -> None:
    await backlog.admit({"default": MAX})

    with pytest.raises(QueueFull, match="about 10 jobs wait in the queue 'default', 10 may"):
        await backlog.admit({"default": 1})
    await backlog.admit({"other": 1})


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RETRYING, JobState.SCHEDULED])
async def test_the_first_count_is_waited_for(backlog: Backlog, counts: Counts, state: JobState) -> None:
    counts.numbers = {("default", state): MAX}
    counts.takes_s = 1.0

    for answer in await asyncio.gather(
        *(backlog.admit({"default": 1}) for _ in range(3)), return_exceptions=True
    ):
        assert isinstance(answer, QueueFull)
    assert counts.asked == 1


@pytest.mark.parametrize("state", [JobState.PROCESSING, JobState.FAILED, JobState.EXPIRED])
async def test_what_no_worker_has_to_take_does_not_count(
    backlog: Backlog, counts: Counts, state: JobState
) -> None:
    counts.numbers = {("default", state): 99}

    await backlog.admit({"default": MAX})


async def test_a_unit_finds_room_whole_or_not_at_all(backlog: Backlog) -> None:
    with pytest.raises(QueueFull):
        await backlog.admit({"default": 1, "other": MAX + 1})

    await backlog.admit({"default": MAX, "other": MAX})


async def test_delivered_jobs_make_room_at_the_next_count(
    world: World, backlog: Backlog, counts: Counts
) -> None:
    await backlog.admit({"default": MAX})
    counts.numbers = {("default", JobState.QUEUED): 3}
    await world.passes(GOOD_FOR_S)
    with pytest.raises(QueueFull):
        await backlog.admit({"default": MAX - 3})  # the count is under way, and nobody waits for it
    await world.turns()

    await backlog.admit({"default": MAX - 3})


async def test_what_is_accepted_while_it_counts_is_not_forgotten(
    world: World, backlog: Backlog, counts: Counts
) -> None:
    await backlog.admit({"default": 1})
    await world.passes(GOOD_FOR_S)
    counts.takes_s = 1.0
    await backlog.admit({"default": MAX - 1})
    await world.passes(2)

    with pytest.raises(QueueFull):
        await backlog.admit({"default": 2})


async def test_a_long_count_is_good_for_long(world: World, backlog: Backlog, counts: Counts) -> None:
    counts.takes_s = 1.0
    await backlog.admit({})
    await world.passes(GOOD_FOR_TIMES - 0.1)
    await backlog.admit({})
    assert counts.asked == 1

    await world.passes(0.2)
    await backlog.admit({})

    assert counts.asked + (backlog._counting is not None) >= 2


async def test_while_the_store_is_away_the_last_count_stands(
    world: World, backlog: Backlog, counts: Counts
) -> None:
    counts.is_away = True
    await backlog.admit({"default": MAX})
    await world.passes(GOOD_FOR_S)

    with pytest.raises(QueueFull):
        await backlog.admit({"default": 1})


async def test_nothing_of_a_unit_without_room_is_stored(world: World) -> None:
    node: Node = world.node(starts=False, queue_jobs_max=2)
    world.client = node
    await world.submit()

    with pytest.raises(QueueFull):
        await world.submit(count=2)

    assert len(world.tables.jobs) == 1
