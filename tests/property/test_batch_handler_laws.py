"""Whatever a batch handler makes of its jobs, and whatever befalls its workers, each job ends once."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from attrs import define, field
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobmill.application.errors import StaleJob
from jobmill.application.handlers import BatchJob, JobHandlers, PermanentFailure, Registry, RetryAfter
from jobmill.domain.errors import IllegalTransition
from jobmill.domain.job import Job
from jobmill.domain.states import TERMINAL, JobState

from tests.ledger import Ledger
from tests.nodes import Node
from tests.property.adversity import TROUBLES, store_trouble
from tests.virtual_time import run_virtually
from tests.world import QUICK, World

#: What the handler says of a job at its first attempts; then it says that it is done.
WORDS: Final = ("succeed", "fail", "never", "later", "not yet", "nothing")
JOBS: Final = st.lists(
    st.fixed_dictionaries({"word": st.sampled_from(WORDS), "fails": st.integers(0, 1)}),
    min_size=1,
    max_size=12,
)
#: What befalls a worker or a job, each after a pause.
BLOWS: Final = st.lists(
    st.tuples(
        st.sampled_from(["kill", "stop", "cancel", "double", "again"]), st.sampled_from([0.0, 0.03, 0.4, 6.0])
    ),
    max_size=4,
)


@define(eq=False, kw_only=True)
class Trial:
    """One course of events."""

    takes_s: float
    raises: bool
    jobs_max: int
    said: Counter[UUID] = field(factory=Counter)
    live: dict[UUID, BatchJob[dict[str, Any]]] = field(factory=dict)
    overlaps: list[UUID] = field(factory=list)  # jobs that two calls had at once in good faith

    async def work(self, jobs: list[BatchJob[dict[str, Any]]]) -> None:
        assert 1 <= len(jobs) <= self.jobs_max
        assert len({job.job_id for job in jobs}) == len(jobs)
        self.overlaps += [job.job_id for job in jobs if self._is_live_elsewhere(job)]
        self.live.update({job.job_id: job for job in jobs})
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            for job in jobs:
                if self.live.get(job.job_id) is job:
                    del self.live[job.job_id]
        for job in jobs:
            self._say(job)
        if self.raises:
            raise ConnectionError("and then it broke")

    def _is_live_elsewhere(self, job: BatchJob[dict[str, Any]]) -> bool:
        other = self.live.get(job.job_id)
        return other is not None and not other.cancelled

    def _say(self, job: BatchJob[dict[str, Any]]) -> None:
        match job.payload["word"] if job.attempt <= job.payload["fails"] else "succeed":
            case "succeed":
                job.succeed({"attempt": job.attempt})
            case "fail":
                job.fail(TimeoutError("no answer"))
            case "never":
                job.fail(PermanentFailure("never"))
            case "later":
                job.fail(RetryAfter(timedelta(seconds=2), "later"))
            case "not yet":
                self.said[job.job_id] += 1
                again = self.said[job.job_id] < 3
                if again:
                    job.fail(RetryAfter(timedelta(seconds=1), "not yet", counts=False))
                else:
                    job.succeed({"attempt": job.attempt})
            case _:
                pass

    def world(self) -> World:
        world = World()
        handlers = JobHandlers()
        declare = handlers.register_batch(
            "print",
            jobs_max=self.jobs_max,
            wait=timedelta(milliseconds=100),
            retry=QUICK,
            timeout=timedelta(seconds=20),
        )
        declare(self.work)
        world.registry = Registry([handlers])
        world.tables.jobs = Ledger(world.clock.now)
        world.client = world.node(concurrency=None)
        return world


async def befalls(world: World, blow: str, node: Node, job: Job) -> None:
    match blow:
        case "kill":
            node.kill()
        case "stop":
            await node.stop()
            node.bus.disconnect()
        case "cancel":
            try:
                await world.client.operator.cancel(job.id)
            except (IllegalTransition, StaleJob):
                pass
        case "double":
            world.broker.double_everything()
        case _:
            world.broker.redeliver(world.broker.held)
    if not node.is_alive:
        world.node(concurrency=5)


@settings(max_examples=15)
@given(
    jobs=JOBS,
    blows=BLOWS,
    troubles=TROUBLES,
    takes_s=st.sampled_from([0.0, 0.5, 30.0]),
    raises=st.booleans(),
    jobs_max=st.sampled_from([1, 3, 100]),
)
@example(
    jobs=[{"word": word, "fails": 1} for word in WORDS],
    blows=[("kill", 0.4)],
    troubles=[3],
    takes_s=0.5,
    raises=True,
    jobs_max=100,
)
def test_each_job_of_a_batch_handler_is_settled_once(
    jobs: list[dict[str, Any]],
    blows: list[tuple[str, float]],
    troubles: list[int],
    takes_s: float,
    raises: bool,
    jobs_max: int,
) -> None:
    async def course() -> None:
        trial = Trial(takes_s=takes_s, raises=raises, jobs_max=jobs_max)
        world = trial.world()
        accepted = [await world.submit(payload=each, type="print") for each in jobs]
        world.node(concurrency=5).cable.trouble = store_trouble(troubles)
        for number, (blow, pause_s) in enumerate(blows):
            await world.passes(pause_s)
            await befalls(world, blow, world.nodes[-1], accepted[number % len(accepted)])
        await world.passes(600)

        check(world, [world.job(job) for job in accepted], was_cancelled="cancel" in dict(blows))
        assert trial.overlaps == []
        assert {node.consumer.running for node in world.nodes if node.is_alive} == {0}

    run_virtually(course())


def check(world: World, rows: list[Job], *, was_cancelled: bool) -> None:
    """The ledger tells of each row that moved on from its end."""
    ledger = world.tables.jobs
    assert isinstance(ledger, Ledger)
    assert (ledger.broken, ledger.requeued_at) == ([], {})
    assert [row.state for row in rows if row.state not in TERMINAL] == []
    for row in rows:
        if row.state is JobState.SUCCEEDED:
            assert row.result == f'{{"attempt":{row.attempt}}}'
        elif not was_cancelled:
            assert row.state is JobState.FAILED
