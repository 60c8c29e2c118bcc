"""Followers and callbacks under an adversary: any order of ends, requeues, crashes, two leaders at once.

The jobs of a batch are moved as workers and operators do, and get followers at any time, over the real memory
store. Two leaders take their steps in the middle of that; any of their statements may be held up, may fail
before it is carried out, or afterwards with its answer lost.
"""

import asyncio
import json
from collections.abc import Awaitable, Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from jobmill.adapters.memory import MemoryStore
from jobmill.adapters.system import FactLog, SystemClock, SystemEntropy
from jobmill.application.commits import Commits
from jobmill.application.errors import StorageUnknown, Unavailable
from jobmill.application.follow_ups import FollowUps
from jobmill.application.ports.job_repository import NewJob, SaveAnswer
from jobmill.domain.failure import FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import DEAD, TERMINAL, WAITING, JobState
from jobmill.domain.ties import Ties
from jobmill.domain.transition import Transition

from tests.builders import NOW, a_failure, a_stamp, a_submitted_job, failed, started, succeeded

SIZE, MOVES, FOLLOWERS_MAX = 3, 25, 6
PERMANENT = a_failure(FailureKind.PERMANENT)


class BareCommits(Commits):
    """Saves at once, and tries nothing again: the next step of a leader does."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def save_surely(self, transitions: Sequence[Transition]) -> Sequence[SaveAnswer]:
        return await self._store.jobs.save(transitions)


class Case:
    """A batch, whoever follows its jobs, and what was ever true of them."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.is_rough = True
        self.store = MemoryStore(clock=SystemClock())
        self.rows = self.store.tables.jobs
        self.callback = a_submitted_job().tied(Ties(batch_size=SIZE))
        self.members = [a_submitted_job().tied(Ties(batch=self.callback.id)) for _ in range(SIZE)]
        self.followers: list[Job] = []
        self.was_over = False

    async def play(self) -> None:
        await self.store.jobs.add([[NewJob(job=job) for job in (*self.members, self.callback)]])
        leaders = [asyncio.create_task(self._lead()) for _ in range(2)]
        for _ in range(MOVES):
            await self._move()
            await self._held_up(self.chance.choice([0, 2, 60]))
        for leader in leaders:
            leader.cancel()
        await asyncio.gather(*leaders, return_exceptions=True)
        self.is_rough = False
        while await self._leader().step():
            pass

    async def _lead(self) -> None:
        leader = self._leader()
        while True:
            try:
                await leader.step()
            except Unavailable:
                pass
            await asyncio.sleep(0)

    def _leader(self) -> FollowUps:
        rough = MemoryStore(clock=self.store.clock, tables=self.store.tables, faults=self._faults)
        return FollowUps(
            ended_jobs=rough.ended_jobs,
            commits=BareCommits(rough),
            clock=rough.clock,
            entropy=SystemEntropy(),
            observer=FactLog(),
            leads=lambda: True,
        )

    def _faults(self, moment: str) -> Awaitable[None] | None:
        if self.is_rough and self.chance.random() < 0.1:
            raise StorageUnknown(moment)
        return self._held_up(self.chance.randrange(5)) if self.is_rough else None

    async def _held_up(self, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)

    async def _move(self) -> None:
        """Move one job as a worker or an operator would, or submit another follower."""
        if len(self.followers) < FOLLOWERS_MAX and self.chance.random() < 0.3:
            before = self.chance.choice(self.members)
            job = a_submitted_job().tied(Ties(follows=before.id, chain_depth=1))
            self.followers.append(job)
            await self.store.jobs.add([[NewJob(job=job)]])
        else:
            await self._move_one(self.rows[self.chance.choice(self.members).id])
        self.was_over |= all(self.rows[job.id].state in TERMINAL for job in self.members)

    async def _move_one(self, job: Job) -> None:
        if job.state in WAITING:
            move = started(job, now=NOW)
        elif job.state is JobState.PROCESSING:
            move = self.chance.choice([succeeded(job, result='"r"'), failed(job, PERMANENT)])
        elif job.state is JobState.CANCELLED or job.state in DEAD:
            move = job.requeue(now=NOW, stamp=a_stamp())
        else:
            return
        if job.state in WAITING and self.chance.random() < 0.2:
            move = job.cancel(now=NOW, stamp=a_stamp())
        await self.store.jobs.save([move])

    def check(self) -> None:
        self._check_callback(self.rows[self.callback.id])
        for follower in self.followers:
            self._check_follower(self.rows[follower.id])

    def _check_callback(self, callback: Job) -> None:
        is_over = all(self.rows[job.id].state in TERMINAL for job in self.members)
        if callback.is_held:
            assert not is_over
            return
        assert self.was_over
        assert (callback.state, callback.version) == (JobState.QUEUED, 2)
        told = json.loads(callback.inherited or "")
        assert sum(told[end] for end in ("succeeded", "failed", "cancelled")) == told["size"] == SIZE

    def _check_follower(self, follower: Job) -> None:
        assert follower.follows is not None
        before = self.rows[follower.follows]
        if follower.is_held:
            assert before.state not in TERMINAL
        elif follower.state is JobState.QUEUED:
            assert (before.state, follower.version, follower.inherited) == (JobState.SUCCEEDED, 2, '"r"')
        else:
            assert (follower.state, follower.version) == (JobState.CANCELLED, 2)
            assert before.version > 1  # it had ended, and may have been called back since


@given(seed=st.integers(0, 2**32))
def test_everything_that_waits_is_let_go_once_and_never_too_early(seed: int) -> None:
    case = Case(seed)

    asyncio.run(case.play())

    case.check()
