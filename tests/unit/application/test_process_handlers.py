"""Handlers in processes: what the worker sends there, and what it makes of the answer."""

import asyncio
from typing import Any

import pytest
from attrs import define, field

from jobmill.application.handlers import JobHandlers, Registry
from jobmill.application.outcomes import Outcome, Postponed, Succeeded
from jobmill.application.ports.executors import Errand, Processes, Report
from jobmill.domain.failure import Failure, FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.builders import SECOND
from tests.nodes import Node
from tests.unit.application.bench import works_off
from tests.world import World

handlers = JobHandlers()


@handlers.register(
    "compute",
    process=True,
    version=2,
    upcasters={1: lambda old: {"number": int(old["text"])}},
    log_fields=("number",),
)
def compute(payload: dict[str, Any]) -> None: ...


@define(eq=False)
class FarProcesses(Processes):
    """Answers what the test has put there; ``lasts_s`` later."""

    size: int = 2
    answer: Outcome = Succeeded(result="42")
    lasts_s: float = 0.0
    says: tuple[float, str | None] | None = None
    last_words: Outcome | None = None  # within its grace; None if it has to be killed
    errands: list[Errand] = field(factory=list)

    async def run(self, errand: Errand, *, report: Report) -> Outcome:
        self.errands.append(errand)
        if self.says is not None:
            report(*self.says)
        try:
            await asyncio.sleep(self.lasts_s)
        except asyncio.CancelledError:
            if self.last_words is None:
                raise
            return self.last_words
        return self.answer


@pytest.fixture
async def far() -> FarProcesses:
    return FarProcesses()


@pytest.fixture
async def node(world: World, far: FarProcesses) -> Node:
    world.registry = Registry([handlers])
    world.client = world.node(concurrency=None)
    return world.node(processes=far)


async def ran(world: World, node: Node, **facts: Any) -> Job:
    job = world.has(type="compute", payload_version=2, **facts)
    [run] = (await node.claimer.claim([job])).runs
    await works_off(node, run)
    return world.job(job)


async def test_the_function_is_named_and_its_attempt_told(
    world: World, node: Node, far: FarProcesses
) -> None:
    row = await ran(world, node, payload='{"number":7}', attempt=1, correlation_id="c")

    [errand] = far.errands
    assert (errand.module, errand.function) == (__name__, "compute")
    assert (errand.payload, errand.type) == ('{"number":7}', "compute")
    assert (errand.job_id, errand.attempt, errand.max_attempts) == (row.id, 2, 3)
    assert (errand.idempotency_key, errand.correlation_id) == (row.handler_key, "c")
    assert errand.deadline == world.clock.now() + row.timeout
    assert errand.told == {"number": 7}
    assert (row.state, row.result) == (JobState.SUCCEEDED, "42")


async def test_an_older_payload_is_brought_up_to_date_before(
    world: World, node: Node, far: FarProcesses
) -> None:
    job = world.has(type="compute", payload='{"text":"7"}', payload_version=1)
    [run] = (await node.claimer.claim([job])).runs
    await works_off(node, run)

    assert far.errands[0].payload == '{"number":7}'


async def test_a_payload_of_the_future_is_sent_nowhere(world: World, node: Node, far: FarProcesses) -> None:
    job = world.has(type="compute", payload="{}", payload_version=3)

    claimed = await node.claimer.claim([job])

    assert (list(claimed.runs), far.errands) == ([], [])
    assert (world.job(job).state, world.job(job).attempt) == (JobState.RETRYING, 0)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Succeeded(result=None), JobState.SUCCEEDED),
        (Failure(kind=FailureKind.TRANSIENT, message="x"), JobState.RETRYING),
        (Failure(kind=FailureKind.PERMANENT, message="x"), JobState.FAILED),
        (Postponed(wait=SECOND, reason="x"), JobState.RETRYING),
    ],
)
async def test_its_answer_is_the_outcome(
    world: World, node: Node, far: FarProcesses, answer: Outcome, state: JobState
) -> None:
    far.answer = answer

    assert (await ran(world, node)).state is state


@pytest.mark.parametrize("last_words", [None, Failure(kind=FailureKind.TRANSIENT, message="on its way out")])
async def test_one_that_takes_too_long_has_timed_out_however_it_ended(
    world: World, node: Node, far: FarProcesses, last_words: Outcome | None
) -> None:
    far.lasts_s, far.last_words = 1_000, last_words

    row = await ran(world, node, timeout=5 * SECOND)

    assert (row.error_kind, row.error) == (FailureKind.TIMEOUT, "took longer than its timeout of 5 s")


async def test_what_it_still_finishes_in_its_grace_counts(
    world: World, node: Node, far: FarProcesses
) -> None:
    far.lasts_s, far.last_words = 1_000, Succeeded(result='"just in time"')

    row = await ran(world, node, timeout=5 * SECOND)

    assert (row.state, row.result) == (JobState.SUCCEEDED, '"just in time"')


async def test_what_it_says_of_its_progress_is_kept(world: World, node: Node, far: FarProcesses) -> None:
    far.says, far.lasts_s = (0.5, "half"), 5

    row = await ran(world, node)

    progress = world.tables.progress[row.id]
    assert (progress.fraction, progress.note) == (0.5, "half")


async def test_no_more_are_claimed_than_there_are_processes(
    world: World, node: Node, far: FarProcesses
) -> None:
    far.lasts_s = 50
    await world.submit(type="compute", payload={}, count=9)
    await world.passes(5)

    assert world.states().count(JobState.PROCESSING) == 2
    await world.passes(400)
    assert set(world.states()) == {JobState.SUCCEEDED}
