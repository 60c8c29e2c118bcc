"""The notification worker: what happens after a task was changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill import JobContext, JobHandlers, RetryPolicy

from task_board.events import TaskEvent
from task_board.mail import send_email
from task_board.tables import ProcessedEvent, User

QUEUE = "task_events"
RETRY = RetryPolicy(max_attempts=3, base=timedelta(seconds=0.25))
KEPT = timedelta(days=7)
CLEANED_AT_ONCE = 10_000
INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

handlers = JobHandlers()


@handlers.register("TASK_CREATED", queue=QUEUE, retry=RETRY)
async def task_created(event: TaskEvent, job: JobContext) -> None:
    await notify(event, job, "was created")


@handlers.register("TASK_UPDATED", queue=QUEUE, retry=RETRY)
async def task_updated(event: TaskEvent, job: JobContext) -> None:
    await notify(event, job, f"is {event.payload.status} now")


@handlers.register("TASK_DELETED", queue=QUEUE, retry=RETRY)
async def task_deleted(event: TaskEvent, job: JobContext) -> None:
    await notify(event, job, "was deleted")


async def notify(event: TaskEvent, job: JobContext, what: str) -> None:
    """Write to the task's user, once for each event.

    That the event was processed is committed with the job's own success: both stand, or neither does. A mail
    cannot be taken back, so it goes out last: only a crash before the commit, a moment later, sends it twice.
    """
    async with job.transaction() as db:
        if not await is_new(db, event.metadata.event_id):
            job.log.info("Event %s was processed before", event.metadata.event_id)
            return
        email = await db.scalar(select(User.email).where(User.id == event.payload.user_id))
        if email is None:
            job.log.info("User %s is gone: nobody to tell", event.payload.user_id)
            return
        send_email(email, f"Task {event.payload.title!r} {what}", job.log)


async def is_new(db: AsyncConnection, event_id: str) -> bool:
    """Note an event as processed; False if it was before."""
    row = INSERT[db.dialect.name](ProcessedEvent).values(event_id=event_id, processed_at=datetime.now(UTC))
    return bool((await db.execute(row.on_conflict_do_nothing())).rowcount)


@frozen
class CleanUp:
    """Forget the events that were processed more than seven days ago."""


@handlers.register("CLEAN_UP", queue=QUEUE)
async def clean_up(_order: CleanUp, job: JobContext) -> None:
    old = select(ProcessedEvent.event_id).where(ProcessedEvent.processed_at < datetime.now(UTC) - KEPT)
    async with job.transaction() as db:
        await db.execute(
            delete(ProcessedEvent).where(ProcessedEvent.event_id.in_(old.limit(CLEANED_AT_ONCE)))
        )
