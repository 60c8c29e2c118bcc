"""``def`` handlers: they block a thread and nothing else, and nobody can end them."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import define, field

from jobmill.application.handlers import JobContext, JobHandlers, PermanentFailure, Registry, RetryAfter
from jobmill.application.lease_keeper import CANCEL_GRACE_S
from jobmill.application.ports.executors import Threads
from jobmill.application.run import Interrupt, Run
from jobmill.domain.failure import FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.builders import SECOND
from tests.nodes import Node
from tests.unit.application.bench import Bench, works_off
from tests.world import World

Work = Callable[[dict[str, Any], JobContext], object]


@define(eq=False)
class SlowThreads(Threads):
    """Calls run on the spot, when the test lets them, and are over when it says so."""

    size: int = 4
    begun: list[Callable[[], None]] = field(factory=list)
    ends: "list[asyncio.Future[None]]" = field(factory=list)

    def start(self, call: Callable[[], None]) -> "asyncio.Future[None]":
        self.begun.append(call)
        self.ends.append(asyncio.get_running_loop().create_future())
        return self.ends[-1]

    def finish(self) -> None:
        self.begun[-1]()
        self.ends[-1].set_result(None)


@define
class Workshop:
    """A worker whose handler ``blocking`` runs in a thread."""

    world: World
    node: Node
    work: list[Work]

    async def runs(self, work: Work, **facts: Any) -> Job:
        run = await self.claims(work, **facts)
        await works_off(self.node, run)
        return self.world.job(run.job)

    async def begins(self, work: Work, **facts: Any) -> tuple[Run, "asyncio.Task[None]"]:
        run = await self.claims(work, **facts)
        task = asyncio.create_task(works_off(self.node, run))
        await self.world.turns()
        return run, task

    async def claims(self, work: Work, **facts: Any) -> Run:
        self.work[:] = [work]
        job = self.world.has(type="blocking", **facts)
        [run] = (await self.node.claimer.claim([job])).runs
        return run


@pytest.fixture
async def shop(world: World) -> Workshop:
    return workshop(world)


@pytest.fixture
async def threads() -> SlowThreads:
    return SlowThreads()


@pytest.fixture
async def slow_shop(world: World, threads: SlowThreads) -> Workshop:
    shop = workshop(world, threads=threads)
    shop.node.keeping = asyncio.create_task(shop.node.keeper.keep())  # type: ignore[attr-defined]
    return shop


def workshop(world: World, **wishes: Any) -> Workshop:
    handlers = JobHandlers()
    works: list[Work] = []

    @handlers.register("blocking")
    def block(payload: dict[str, Any], job: JobContext) -> object:
        return works[0](payload, job)

    world.registry = Registry([handlers])
    node = world.node(starts=False, **wishes)
    return Workshop(world=world, node=node, work=works)


async def test_a_function_runs_in_a_thread_of_its_own(shop: Workshop) -> None:
    seen: list[threading.Thread] = []

    def work(payload: dict[str, Any], _job: JobContext) -> object:
        seen.append(threading.current_thread())
        return payload

    row = await shop.runs(work, payload='{"a":1}')

    assert (row.state, row.result) == (JobState.SUCCEEDED, '{"a":1}')
    assert seen[0] is not threading.main_thread()
    assert seen[0].daemon, "Python would wait for it at its end"


async def test_what_a_context_variable_holds_is_seen_in_the_thread(shop: Workshop) -> None:
    caller = contextvars.ContextVar("caller", default="nobody")
    caller.set("the worker")

    row = await shop.runs(lambda _payload, _job: caller.get())

    assert row.result == '"the worker"'


@pytest.mark.parametrize(
    ("error", "state", "kind", "told"),
    [
        (ValueError("x"), JobState.RETRYING, FailureKind.TRANSIENT, "ValueError: x"),
        (PermanentFailure("x"), JobState.FAILED, FailureKind.PERMANENT, "x"),
        (RetryAfter(SECOND, "x"), JobState.RETRYING, FailureKind.RETRY_AFTER, "x"),
        (StopIteration("x"), JobState.RETRYING, FailureKind.TRANSIENT, "StopIteration: x"),
        (SystemExit(3), JobState.RETRYING, FailureKind.TRANSIENT, "SystemExit: 3"),
        (KeyboardInterrupt(), JobState.RETRYING, FailureKind.TRANSIENT, "KeyboardInterrupt"),
        (asyncio.CancelledError(), JobState.RETRYING, FailureKind.TRANSIENT, "CancelledError"),
    ],
)
async def test_errors_mean_what_they_mean_on_the_loop(
    shop: Workshop, error: BaseException, state: JobState, kind: FailureKind, told: str
) -> None:
    row = await shop.runs(raising(error))

    assert (row.state, row.error_kind, row.error) == (state, kind, told)


async def test_a_transaction_belongs_to_the_loop(shop: Workshop) -> None:
    def work(_payload: dict[str, Any], job: JobContext) -> object:
        return job.transaction()

    row = await shop.runs(work)

    assert row.error is not None
    assert "declare the handler of 'blocking' as 'async def'" in row.error


async def test_a_thread_that_ends_late_has_succeeded_all_the_same(
    slow_shop: Workshop, threads: SlowThreads
) -> None:
    seen: list[bool] = []

    def work(_payload: dict[str, Any], job: JobContext) -> object:
        seen.append(job.cancelled)
        return "late"

    run, task = await slow_shop.begins(work, timeout=5 * SECOND)
    await slow_shop.world.passes(6)
    assert run.interrupt is Interrupt.TIMEOUT
    threads.finish()
    await task

    assert seen == [True]
    assert slow_shop.world.job(run.job).state is JobState.SUCCEEDED


async def test_a_thread_that_fails_late_has_timed_out(slow_shop: Workshop, threads: SlowThreads) -> None:
    run, task = await slow_shop.begins(raising(ValueError("closing")), timeout=5 * SECOND)
    await slow_shop.world.passes(6)
    threads.finish()
    await task

    assert slow_shop.world.job(run.job).error_kind is FailureKind.TIMEOUT


async def test_a_thread_that_goes_on_is_named_and_loses_its_lease_and_its_run_lasts(
    slow_shop: Workshop, threads: SlowThreads
) -> None:
    run, task = await slow_shop.begins(lambda _payload, _job: "late", timeout=5 * SECOND)

    await slow_shop.world.passes(5 + CANCEL_GRACE_S + 10)

    assert run.is_abandoned
    [fields] = [
        fields
        for event, fields in slow_shop.node.notes.events
        if event == "thread goes on and keeps its place"
    ]
    assert (fields["job_id"], fields["type"]) == (run.job.id, "blocking")
    assert not task.done(), "whoever counts threads counts this one"
    threads.finish()
    await task


async def test_a_worker_that_is_torn_down_does_not_wait_for_a_thread(
    slow_shop: Workshop, threads: SlowThreads
) -> None:
    _, task = await slow_shop.begins(lambda _payload, _job: "late")

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not threads.ends[0].done()


async def test_a_handler_that_blocks_the_loop_is_named_with_the_mend(bench: Bench) -> None:
    loop = asyncio.get_running_loop()

    async def work(_payload: Mapping[str, Any], _job: JobContext) -> object:
        loop.jump(3.0)  # type: ignore[attr-defined]
        return None

    run = await bench.claims()
    bench.world.work = work
    await works_off(bench.node, run)

    [fields] = [f for event, f in bench.node.notes.events if event == "handler blocked the loop"]
    assert (fields["type"], fields["job_id"], fields["seconds"]) == ("work", run.job.id, 3.0)
    assert "use def, or await asyncio.to_thread" in str(fields["reason"])


def raising(error: BaseException) -> Work:
    def work(_payload: dict[str, Any], _job: JobContext) -> object:
        raise error

    return work
