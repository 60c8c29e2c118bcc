"""Waiting for jobs to end: told at once of what ends here, and one look per tick for all the rest."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from attrs import define, field

from jobmill.adapters.memory import ManualClock, MemoryStore
from jobmill.application import watch as watching
from jobmill.application.errors import StorageUnavailable
from jobmill.application.ports.job_repository import NewJob
from jobmill.application.watch import LOOK_FIRST_S, LOOK_MAX_S, Watch
from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.builders import a_job_that_is, a_stamp, an_id, started


@define(eq=False, slots=False)
class Scene:
    """A store of which every look is counted."""

    looks: int = 0
    trouble: Exception | None = None
    clock: ManualClock = field(factory=ManualClock)

    def __attrs_post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock, faults=self._fault)
        self.watch = Watch(finder=self.store.finder)

    async def has(self, state: JobState = JobState.QUEUED) -> Job:
        job = a_job_that_is(state, now=self.clock.now())
        await self.store.jobs.add([[NewJob(job=job)]])
        return job

    async def cancels(self, job: Job, *, here: bool) -> None:
        move = job.cancel(now=self.clock.now(), stamp=a_stamp())
        await self.store.jobs.save([move])
        if here:
            self.watch.moved([move])

    def _fault(self, moment: str) -> None:
        if moment.startswith("finder.finished"):
            self.looks += 1
            if self.trouble is not None:
                raise self.trouble


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def waiting(scene: Scene, job_id: UUID, within_s: float = 60) -> "asyncio.Task[bool]":
    task = asyncio.create_task(scene.watch.finished(job_id, within_s=within_s))
    await asyncio.sleep(0)
    return task


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def test_what_is_finished_in_this_process_is_told_at_once(scene: Scene) -> None:
    job = await scene.has()
    task = await waiting(scene, job.id)

    await scene.cancels(job, here=True)

    assert await task
    assert now_s() == 0


async def test_what_is_finished_elsewhere_is_seen_within_a_tick(scene: Scene) -> None:
    job = await scene.has()
    task = await waiting(scene, job.id)
    await asyncio.sleep(10)

    await scene.cancels(job, here=False)

    assert await task
    assert now_s() <= 10 + LOOK_MAX_S


async def test_a_short_job_is_seen_soon(scene: Scene) -> None:
    job = await scene.has()
    task = await waiting(scene, job.id)
    await scene.cancels(job, here=False)

    assert await task
    assert now_s() == pytest.approx(LOOK_FIRST_S)


async def test_a_job_that_is_gone_is_waited_for_no_longer(scene: Scene) -> None:
    assert await scene.watch.finished(an_id(), within_s=60)


async def test_a_move_that_ends_nothing_wakes_nobody(scene: Scene) -> None:
    job = await scene.has()
    task = await waiting(scene, job.id, within_s=3)
    scene.watch.moved([started(job, now=scene.clock.now())])

    assert await task is False
    assert now_s() == 3


async def test_many_waiters_cost_one_look_per_tick_and_none_when_they_have_gone(scene: Scene) -> None:
    jobs = [await scene.has() for _ in range(50)]
    tasks = [await waiting(scene, job.id, within_s=10) for job in jobs for _ in range(2)]
    both: Any = asyncio.gather(*tasks)
    await asyncio.sleep(9)
    looks = scene.looks

    assert looks <= 9 / LOOK_MAX_S + 20
    assert set(await both) == {False}
    ended = scene.looks
    await asyncio.sleep(60)
    assert scene.looks == ended


async def test_a_store_that_is_away_for_a_while_is_asked_again(scene: Scene) -> None:
    job = await scene.has()
    scene.trouble = StorageUnavailable("away")
    task = await waiting(scene, job.id)
    await asyncio.sleep(5)
    scene.trouble = None

    await scene.cancels(job, here=False)

    assert await task


async def test_whoever_comes_when_too_many_wait_is_not_kept(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "WAITERS_MAX", 1)
    job = await scene.has()
    first = await waiting(scene, job.id)

    assert await scene.watch.finished(job.id, within_s=60) is False
    assert now_s() == 0
    first.cancel()


async def test_a_stop_sends_all_home_and_keeps_nobody_more(scene: Scene) -> None:
    job = await scene.has()
    task = await waiting(scene, job.id)

    scene.watch.stop()

    assert await task is False
    assert await scene.watch.finished(job.id, within_s=60) is False
    assert now_s() == 0


async def test_one_who_comes_as_the_last_one_leaves_is_looked_after(scene: Scene) -> None:
    job = await scene.has()
    first = await waiting(scene, job.id)
    await asyncio.sleep(1)
    first.cancel()
    task = await waiting(scene, job.id)
    await asyncio.sleep(1)

    await scene.cancels(job, here=False)

    assert await task
