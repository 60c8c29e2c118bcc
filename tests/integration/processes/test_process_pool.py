"""Children of a worker: what they are told and tell, and that nothing of them outlives its time."""

import asyncio
import json
import logging
import os
import signal
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from attrs import define, field

from jobmill.adapters.processes.pool import ProcessPool, open_processes
from jobmill.application.outcomes import Outcome, Postponed, Succeeded
from jobmill.application.ports.executors import Errand
from jobmill.domain.failure import Failure, FailureKind

from tests.builders import NOW, an_id
from tests.servers.descendants import is_gone
from tests.servers.waiting import until

HERE = "tests.integration.processes.work"


@define
class Office:
    """Sends errands, and hears what is said of them."""

    pool: ProcessPool
    said: list[tuple[float, str | None]] = field(factory=list)

    async def asks(self, deed: str, **facts: Any) -> Outcome:
        return await self.pool.run(an_errand(deed, **facts), report=self._hear)

    async def begins(self, deed: str) -> "tuple[asyncio.Task[Outcome], list[int]]":
        """A deed that says the ids of its processes when it is at work."""
        before = len(self.said)
        task = asyncio.create_task(self.asks(deed))

        async def speaks() -> bool:
            return len(self.said) > before

        assert await until(speaks, within_s=20)
        return task, [int(word) for word in (self.said[-1][1] or "").split()]

    def _hear(self, fraction: float, note: str | None) -> None:
        self.said.append((fraction, note))


def an_errand(deed: str, **facts: Any) -> Errand:
    made_up: dict[str, Any] = {
        "module": HERE,
        "function": "work",
        "payload": json.dumps({"deed": deed}),
        "job_id": an_id(),
        "type": "work",
        "attempt": 1,
        "max_attempts": 3,
        "idempotency_key": "key",
        "correlation_id": None,
        "deadline": NOW,
    }
    return Errand(**(made_up | facts))


@pytest_asyncio.fixture
async def office() -> AsyncGenerator[Office]:
    async with open_processes(size=2) as pool:
        yield Office(pool=pool)


async def test_a_handler_runs_in_a_process_that_is_used_again(office: Office) -> None:
    first, second = await office.asks("pid"), await office.asks("pid")

    assert isinstance(first, Succeeded)
    assert first.result != str(os.getpid())
    assert first == second


async def test_it_is_told_all_of_its_attempt(office: Office) -> None:
    job_id = an_id()

    outcome = await office.asks("context", job_id=job_id, attempt=2, correlation_id="c")

    told = [str(job_id), "work", "2", "3", "key", "c", NOW.isoformat(), False]
    assert outcome == Succeeded(result=json.dumps(told, separators=(",", ":")))


async def test_a_function_without_the_decorators_form_is_found_too(office: Office) -> None:
    outcome = await office.asks("", function="plain", payload='{"a":"ä"}')

    assert outcome == Succeeded(result='{"a":"ä"}')


async def test_errands_beyond_the_bound_wait_for_a_process(office: Office) -> None:
    one, [pid] = await office.begins("until_cancelled")
    other, _ = await office.begins("until_cancelled")
    third = asyncio.create_task(office.asks("pid"))
    await asyncio.sleep(0)
    assert not third.done()

    one.cancel()

    assert await third == Succeeded(result=str(pid))
    assert await one == Succeeded(result='"left in time"')
    other.cancel()
    await other


@pytest.mark.parametrize(
    ("deed", "kind", "message"),
    [
        ("raises", FailureKind.TRANSIENT, "ValueError: boom"),
        ("wants_to_end_the_process", FailureKind.TRANSIENT, "SystemExit: 3"),
        ("gives_up", FailureKind.PERMANENT, "card declined"),
        ("too_much", FailureKind.PERMANENT, "the handler's result is too large"),
        ("transaction", FailureKind.TRANSIENT, "TransactionFault: job.transaction() lives in the worker's"),
    ],
)
async def test_its_errors_are_told_with_their_stack(
    office: Office, deed: str, kind: FailureKind, message: str
) -> None:
    outcome = await office.asks(deed)

    assert isinstance(outcome, Failure)
    assert outcome.kind is kind
    assert outcome.message.startswith(message)
    assert outcome.stack is not None
    assert deed == "too_much" or f"in {deed}" in outcome.stack


async def test_it_may_choose_when_to_be_tried_again(office: Office) -> None:
    later = await office.asks("later")
    assert isinstance(later, Failure)
    assert (later.kind, later.retry_after) == (FailureKind.RETRY_AFTER, timedelta(seconds=7))

    assert await office.asks("for_nothing") == Postponed(wait=timedelta(seconds=7), reason="busy")


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        ("exits", "the handler's process ended with exit status 3"),
        ("crashes", "the handler's process was ended by SIGSEGV"),
    ],
)
async def test_a_process_that_ends_by_itself_is_a_failure_and_is_replaced(
    office: Office, deed: str, told: str
) -> None:
    assert await office.asks(deed) == Failure(kind=FailureKind.TRANSIENT, message=told)

    assert isinstance(await office.asks("pid"), Succeeded)


async def test_a_payload_that_its_class_refuses_is_permanent(office: Office) -> None:
    outcome = await office.asks("", payload="[1]")

    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.PERMANENT


async def test_a_function_that_is_not_there_is_told_with_the_mend(office: Office) -> None:
    outcome = await office.asks("", function="nowhere")

    assert isinstance(outcome, Failure)
    assert f"there is no function 'nowhere' in '{HERE}'; leave the decorated" in outcome.message


async def test_a_handler_that_is_stuck_is_killed_with_all_that_it_started(office: Office) -> None:
    task, pids = await office.begins("spin_with_another")
    assert len(pids) == 2

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await until(lambda: _all_gone(pids), within_s=10)
    assert isinstance(await office.asks("pid"), Succeeded)


async def test_a_handler_that_looks_at_cancelled_may_still_end_by_itself(office: Office) -> None:
    task, [pid] = await office.begins("until_cancelled")

    task.cancel()

    assert await task == Succeeded(result='"left in time"')
    assert await office.asks("pid") == Succeeded(result=str(pid)), "its process is as good as before"
    outcome = await office.asks("context")
    assert isinstance(outcome, Succeeded)
    *_, is_cancelled = json.loads(outcome.result or "")
    assert is_cancelled is False


async def test_a_process_that_somebody_else_ends_is_a_failure(office: Office) -> None:
    task, [pid] = await office.begins("spin")

    os.kill(pid, signal.SIGKILL)

    assert await task == Failure(
        kind=FailureKind.TRANSIENT, message="the handler's process was ended by SIGKILL"
    )


async def test_a_signal_to_stop_leaves_the_handler_to_its_worker(office: Office) -> None:
    task, [pid] = await office.begins("until_cancelled")

    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGINT)
    task.cancel()

    assert await task == Succeeded(result='"left in time"')


async def test_the_end_of_an_idle_process_that_nobody_has_seen_yet_costs_no_attempt(office: Office) -> None:
    first = await office.asks("pid")
    assert isinstance(first, Succeeded)
    os.kill(int(first.result or "0"), signal.SIGKILL)

    second = await office.asks("pid")

    assert isinstance(second, Succeeded)
    assert second != first


async def test_children_end_with_the_pool_whatever_they_do() -> None:
    async with open_processes(size=2) as pool:
        office = Office(pool=pool)
        busy, pids = await office.begins("spin")
        idle = await office.asks("pid")
        assert isinstance(idle, Succeeded)
        pids.append(int(idle.result or "0"))

    assert await until(lambda: _all_gone(pids), within_s=10)
    assert isinstance(await busy, Failure)


async def test_what_it_logs_is_logged_by_the_worker(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    job_id = an_id()

    await office.asks("logs", job_id=job_id, told={"call_id": "c-7"})

    [record] = [each for each in caplog.records if each.name == "jobmill.handler"]
    assert record.getMessage() == "half of it"
    assert (record.levelname, vars(record)["job_id"]) == ("INFO", str(job_id))
    assert (vars(record)["call_id"], vars(record)["log_fields"]) == ("c-7", ("call_id",))
    assert await office.asks("level") == Succeeded(result=str(logging.INFO)), "the rest is not even sent"


async def _all_gone(pids: list[int]) -> bool:
    return all(map(is_gone, pids))
