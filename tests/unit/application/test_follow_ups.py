"""What follows from ends: seen to by the leader, soon, a bounded step at a time, and by nobody else."""

import asyncio

import pytest
from attrs import define, field

from jobmill.adapters.memory import MemoryStore, SeededEntropy
from jobmill.adapters.memory.clocks import LoopClock
from jobmill.application.commits import Commits
from jobmill.application.errors import StorageUnavailable
from jobmill.application.follow_ups import HELD_PAGE, LOOK_EVERY_S, PAGE, FollowUps
from jobmill.application.ports.job_repository import NewJob
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.ties import Ties

from tests.builders import a_job_that_is, a_submitted_job
from tests.nodes import Notes


@define(slots=False)
class Place:
    """A store, whoever leads on it, and how often it was looked at."""

    is_away: bool = False
    leads: bool = True
    looks_at_s: list[float] = field(factory=list)
    notes: Notes = field(factory=Notes)

    def __attrs_post_init__(self) -> None:
        self.store = MemoryStore(clock=LoopClock(), faults=self._at_statement)
        entropy = SeededEntropy(seed=1)
        self.follow_ups = FollowUps(
            ended_jobs=self.store.ended_jobs,
            commits=Commits(
                jobs=self.store.jobs, entropy=entropy, observer=self.notes, announce=lambda notices: None
            ),
            clock=self.store.clock,
            entropy=entropy,
            observer=self.notes,
            leads=lambda: self.leads,
        )

    def _at_statement(self, moment: str) -> None:
        if moment == "before ended_jobs.ended":
            self.looks_at_s.append(asyncio.get_running_loop().time())
            if self.is_away:
                raise StorageUnavailable("away")

    async def has(self, *jobs: Job) -> None:
        await self.store.jobs.add([[NewJob(job=job) for job in jobs]])

    async def ran(self, *, for_s: float) -> None:
        task = asyncio.create_task(self.follow_ups.run())
        await asyncio.sleep(for_s)
        task.cancel()

    def count(self, state: JobState) -> int:
        return sum(job.state is state for job in self.store.tables.jobs.values())


def following(job: Job) -> Job:
    return a_submitted_job().tied(Ties(follows=job.id, chain_depth=1))


@pytest.fixture
async def place() -> Place:
    return Place()


async def test_the_leader_looks_every_second(place: Place) -> None:
    await place.ran(for_s=1.9 * LOOK_EVERY_S)

    assert place.looks_at_s == [0, LOOK_EVERY_S]


async def test_nobody_else_looks(place: Place) -> None:
    place.leads = False
    await place.ran(for_s=10)

    assert place.looks_at_s == []


async def test_after_something_it_looks_again_at_once(place: Place) -> None:
    done = a_job_that_is(JobState.SUCCEEDED)
    await place.has(done, following(done))

    await place.ran(for_s=LOOK_EVERY_S / 2)

    assert place.looks_at_s == [0, 0]
    assert place.count(JobState.QUEUED) == 1
    assert place.store.tables.watched == {}


async def test_many_ends_are_seen_to_page_by_page(place: Place) -> None:
    for _ in range(PAGE + 1):
        done = a_job_that_is(JobState.SUCCEEDED)
        await place.has(done, following(done))

    assert await place.follow_ups.step() == PAGE
    assert await place.follow_ups.step() == 1
    assert place.count(JobState.QUEUED) == PAGE + 1


async def test_a_job_is_watched_until_the_last_of_many_followers_is_let_go(place: Place) -> None:
    done = a_job_that_is(JobState.FAILED)
    await place.has(done, *(following(done) for _ in range(HELD_PAGE + 1)))

    await place.follow_ups.step()
    assert place.count(JobState.SCHEDULED) == 1
    await place.follow_ups.step()

    assert place.count(JobState.CANCELLED) == HELD_PAGE + 1
    assert await place.follow_ups.step() == 0


async def test_a_store_in_trouble_is_noted_once_and_asked_again(place: Place) -> None:
    place.is_away = True
    await place.ran(for_s=10)

    assert len(place.looks_at_s) == 10
    assert place.notes.names == ["followers wait for the next look"]
