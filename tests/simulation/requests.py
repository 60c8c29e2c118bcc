"""What clients and operators ask for, at any time and with any luck; and what handlers do."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from jobmill.application.commands import SubmitJob
from jobmill.application.errors import IdempotencyConflict, JobNotFound, StaleJob, StorageRefused, Unavailable
from jobmill.application.handlers import JobContext, PermanentFailure, RetryAfter
from jobmill.domain.errors import IllegalTransition
from jobmill.domain.options import JobOptions
from jobmill.domain.states import Priority

from tests.nodes import NODE
from tests.simulation.process import Process
from tests.simulation.process_moves import dies
from tests.simulation.registry import request
from tests.simulation.stage import Stage


def _payload(dice: Random) -> dict[str, Any]:
    payload: dict[str, Any] = {"s": dice.choice((0.0, 0.0, 0.3, 4.0, 20.0))}
    if dice.random() < 0.2:
        payload["pays"] = True
    if dice.random() < 0.4:
        payload["fails"] = dice.randint(1, 4)
    if dice.random() < 0.4:
        payload["ends"] = dice.choice(("permanent", "later", "not counted", "deaf", "deaf", "poison"))
    return payload


def _job(dice: Random) -> dict[str, Any]:
    return {
        "payload": _payload(dice),
        "count": dice.choice((1, 1, 1, 2, 3)),
        "delay_s": dice.choice((None, None, None, 0.5, 8.0)),
        "ttl_s": dice.choice((None, None, None, 2.0, 20.0)),
        "priority": dice.choice(("normal", "normal", "high", "low")),
        "type": dice.choice(("work", "work", "other")),
        "patience_s": dice.choice((None, None, None, 0.0, 1.0)),
    }


@request(_job)
def submit(
    stage: Stage,
    payload: dict[str, Any],
    count: int,
    delay_s: float | None,
    ttl_s: float | None,
    priority: str,
    type: str,  # noqa: A002 - as the command calls it
    patience_s: float | None,
) -> None:
    """A client submits a unit; one that has lost patience goes away in the middle."""
    options = JobOptions(
        delay=_span(delay_s),
        ttl=_span(ttl_s),
        priority=Priority(priority),
        tenant=stage.next_tenant(),
    )
    command = SubmitJob(type=type, payload=payload, options=options)
    asked = stage.asks(_submitted(stage, [command] * count, key=None))
    _leaves(stage, asked, patience_s)


@request(
    lambda dice: {
        "key": dice.choice("ab"),
        "payload": {"s": dice.choice((0.0, 4.0))},
        "times": dice.choice((1, 2, 3)),
        "patience_s": dice.choice((None, 0.0)),
    }
)
def submit_with_key(
    stage: Stage, key: str, payload: dict[str, Any], times: int, patience_s: float | None
) -> None:
    """The same request, or another one under the same key, several times at once."""
    command = SubmitJob(type="work", payload=payload, options=JobOptions(idempotency_key=key))
    for _ in range(times):
        _leaves(stage, stage.asks(_submitted(stage, [command], key=f"{key} {payload}")), patience_s)


async def _submitted(stage: Stage, commands: list[SubmitJob], *, key: str | None) -> None:
    try:
        accepted = await stage.api.submitter.submit(commands)
    except (Unavailable, StorageRefused) as error:
        stage.trace.saw(f"client: {error.code}")
        return
    except IdempotencyConflict:
        stage.trace.saw("client: conflict")
        return
    for each in accepted:
        job_id, name = each.job.id, stage.witness.name(each.job.id)
        if stage.has_failed_over and job_id not in stage.watched.rows:
            continue  # lost between its commit and the answer
        stage.trace.tell("client", "has accepted", name, "(again)" if each.replayed else "")
        stage.accepted[job_id] = key or ""
        stage.witness.law(1, job_id in stage.watched.rows, "accepted and not stored", name)
        if key is not None:
            stage.trace.saw("client: replayed" if each.replayed else "client: first")
            holder = stage.keyed.setdefault(key, job_id)
            stage.witness.law(13, holder == job_id, "two jobs under one key", key, name)


def _leaves(stage: Stage, asked: "asyncio.Task[None]", patience_s: float | None) -> None:
    if patience_s is None:
        return
    loop = asyncio.get_running_loop()
    if patience_s:
        loop.call_later(patience_s, asked.cancel)
    else:
        loop.call_soon(lambda: loop.call_soon(asked.cancel))
    stage.trace.saw("client: lost patience")


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


@request(lambda dice: {"which": dice.randint(0, 11)})
def cancel(stage: Stage, which: int) -> None:
    """An operator cancels a job."""
    _operates(stage, which, "cancel")


@request(lambda dice: {"which": dice.randint(0, 11), "edits": dice.random() < 0.5})
def requeue(stage: Stage, which: int, edits: bool) -> None:
    """An operator starts a job over, with an edited payload or not."""
    _operates(stage, which, "requeue with an edit" if edits else "requeue")


@request(lambda dice: {"which": dice.randint(0, 11)})
def discard(stage: Stage, which: int) -> None:
    """An operator puts a job away."""
    _operates(stage, which, "discard")


def _operates(stage: Stage, which: int, verb: str) -> None:
    ids = sorted(stage.watched.rows)
    if ids:
        _ = stage.asks(_operated(stage, ids[which % len(ids)], verb))


async def _operated(stage: Stage, job_id: UUID, verb: str) -> None:
    operator, name = stage.api.operator, stage.witness.name(job_id)
    stage.trace.tell("operator", f"wants to {verb}", name)
    if verb != "cancel":
        stage.witness.asked.add(job_id)
    try:
        match verb:
            case "cancel":
                await operator.cancel(job_id)
            case "discard":
                await operator.discard(job_id)
            case "requeue":
                await operator.requeue(job_id)
            case _:
                await operator.requeue(job_id, payload={"s": 0.1, "edited": True})
    except (IllegalTransition, JobNotFound, StaleJob, Unavailable, StorageRefused) as error:
        stage.trace.saw(f"operator: {error.code}")
    else:
        stage.trace.saw(f"operator: {verb}")


async def work(stage: Stage, payload: Mapping[str, Any], context: JobContext) -> object:
    """Do what the payload says, and sometimes badly."""
    ends = payload.get("ends")
    try:
        await asyncio.sleep(payload.get("s", 0.0))
    except asyncio.CancelledError:
        if ends != "deaf":
            raise
        await asyncio.sleep(14)
    if context.attempt <= payload.get("fails", 0):
        await _fail(stage, ends, context)
    if payload.get("pays"):
        async with context.transaction() as connection:
            await connection.execute("pay", context.job_id)
            await asyncio.sleep(0.2)
        stage.trace.saw("seen: paid")
    return {"attempt": context.attempt}


async def _fail(stage: Stage, ends: str | None, context: JobContext) -> None:
    match ends:
        case "permanent":
            raise PermanentFailure("never")
        case "later":
            raise RetryAfter(timedelta(seconds=3), "not now")
        case "not counted":
            if len([ran for ran in stage.runs if ran.job_id == context.job_id]) < 4:
                raise RetryAfter(timedelta(seconds=2), "not now, for free", counts=False)
        case "poison":
            process = NODE.get()
            if isinstance(process, Process) and process.is_alive:
                stage.trace.saw("fault: poison")
                process.after(1, lambda: dies(stage, process, again_s=1.0))
                await asyncio.get_running_loop().create_future()
    raise ConnectionError("not this time")
