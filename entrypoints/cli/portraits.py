"""One job, or one message in quarantine, in full, for a person."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from jobmill.application.ports.job_finder import JobStory
from jobmill.application.ports.progress import Progress
from jobmill.application.ports.provider_states import ProviderRecord
from jobmill.application.ports.quarantine import ForeignMessage
from jobmill.domain.job import Job
from jobmill.domain.transition import HistoryEntry
from jobmill.entrypoints.cli.durations import ago, written
from jobmill.entrypoints.cli.following import OUTCOMES, clock_time

_LABEL_CHARS: Final = 16
_BODY_BYTES_MAX: Final = 4_096
_INDENT: Final = "    "


def job_portrait(story: JobStory, *, awaited: Sequence[ProviderRecord], now: datetime) -> Iterator[str]:
    """Yield the lines that tell all of a job: its columns, payload, result, and history.

    Args:
        awaited: the providers for whose breakers it waits.
    """
    job = story.job
    for label, value in _columns(job, now):
        if value is not None:
            yield _labelled(label, value)
    for record in awaited:
        yield _labelled("waits for", _breaker_words(record, now))
    if story.progress is not None:
        yield _labelled("progress", _said(story.progress, now))
    yield from _block("payload", _pretty(job.payload))
    if job.result is not None:
        yield from _block("result", _pretty(job.result))
    if job.error is not None:
        yield from _block("error", job.error)
    if story.history:
        yield "history"
        for entry in story.history:
            yield from _entry(entry)
        yield from _last_stack(story.history)


def message_portrait(message: ForeignMessage) -> Iterator[str]:
    """Yield the lines that tell all of a foreign message."""
    yield _labelled("id", str(message.id))
    yield _labelled("kind", "quarantined")
    yield _labelled("received", clock_time(message.received_at))
    yield _labelled("source", message.source)
    yield _labelled("reason", message.reason)
    yield _labelled("content type", message.content_type or "-")
    for name, value in message.headers.items():
        yield _labelled("header", f"{name}: {value}")
    shown = message.body[:_BODY_BYTES_MAX].decode("utf-8", "backslashreplace")
    cut = f"\n… {len(message.body):,} bytes in all" if len(message.body) > _BODY_BYTES_MAX else ""
    yield from _block("body", shown + cut)


def _columns(job: Job, now: datetime) -> Iterator[tuple[str, str | None]]:
    yield "id", str(job.id)
    yield "type", job.type
    yield "status", job.state.value + (", asked to stop" if job.stop_asked else "")
    yield "queue", f"{job.queue}, priority {job.priority.value}"
    yield "attempts", f"{job.attempt} of {job.max_attempts}, each up to {written(job.timeout)}"
    for label, time in (
        ("created", job.created_at),
        ("updated", job.updated_at),
        ("not before", job.run_at),
        ("started", job.started_at),
        ("retry at", job.retry_at),
        ("expires", job.expires_at),
        ("finished", job.finished_at),
    ):
        yield label, f"{clock_time(time)}   {_away(time, now)}" if time else None
    if job.started_at and job.finished_at and job.finished_at >= job.started_at:
        yield "last run took", written(job.finished_at - job.started_at)
    yield "worker", job.worker
    yield "correlation id", job.correlation_id
    yield "idempotency key", job.idempotency_key
    yield "tenant", job.tenant
    yield "tags", ", ".join(job.tags) or None
    yield "origin", job.origin
    yield "follows", None if job.follows is None else str(job.follows)
    yield "batch", None if job.batch_id is None else str(job.batch_id)


def _breaker_words(record: ProviderRecord, now: datetime) -> str:
    until = record.breaker.until
    state = f"the breaker of {record.provider}, {record.breaker.state.value}"
    if until is None or until <= now:
        return f"{state}; the next job tries whether it is back"
    return f"{state} until {clock_time(until)}   {_away(until, now)}"


def _said(progress: Progress, now: datetime) -> str:
    note = f"   {progress.note}" if progress.note else ""
    when = _away(progress.at, now)
    return f"{progress.fraction:.0%}{note}   (attempt {progress.attempt}, {when})"


def _away(time: datetime, now: datetime) -> str:
    return ago(now - time) if time <= now else f"in {written(time - now)}"


def _entry(entry: HistoryEntry) -> Iterator[str]:
    outcome = OUTCOMES.get(entry.fact, entry.fact.value)
    attempt = f"attempt {entry.attempt}  " if entry.attempt else ""
    kind = f" ({entry.failure.kind.value})" if entry.failure else ""
    ran = f" after {written(entry.at - entry.started_at)}" if entry.started_at else ""
    worker = f" on {entry.worker}" if entry.worker else ""
    yield f"  {clock_time(entry.at)}  {attempt}{outcome}{kind}{ran}{worker}"
    if entry.failure:
        yield from (_INDENT + line for line in entry.failure.message.splitlines())


def _last_stack(history: Sequence[HistoryEntry]) -> Iterator[str]:
    stacks = [entry.failure.stack for entry in history if entry.failure and entry.failure.stack]
    if stacks:
        yield from _block("last traceback", stacks[-1])


def _labelled(label: str, value: str) -> str:
    return f"{label:<{_LABEL_CHARS}}{value}"


def _block(label: str, text: str) -> Iterator[str]:
    """One line beside its label; more lines below it."""
    lines = text.rstrip().splitlines() or [""]
    if len(lines) == 1:
        yield _labelled(label, lines[0])
    else:
        yield label
        yield from (_INDENT + line for line in lines)


def _pretty(text: str) -> str:
    value = json.loads(text)
    short = json.dumps(value, ensure_ascii=False)
    return short if len(short) <= 80 - _LABEL_CHARS else json.dumps(value, ensure_ascii=False, indent=2)
