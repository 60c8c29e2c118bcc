"""What is told of a task: an event, submitted as a job in the very transaction that changes the task.

On the wire an event is ``{"type": …, "payload": …, "metadata": {"eventId": …, "timestamp": …}}``. That is the
job's payload; the job's type is the event's.
"""

from datetime import UTC, datetime
from uuid import uuid4

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from jobmill import Client, JobType

from task_board.tables import Task


class TaskFields(Struct, frozen=True, kw_only=True, rename="camel"):
    id: int
    title: str
    description: str
    status: str
    user_id: int
    category_id: int | None = None


class Metadata(Struct, frozen=True, kw_only=True, rename="camel"):
    event_id: str
    timestamp: datetime


class TaskEvent(Struct, frozen=True, kw_only=True):
    type: str
    payload: TaskFields
    metadata: Metadata


async def announce(mill: Client, kind: JobType[TaskEvent], task: Task, *, within: AsyncSession) -> None:
    """Store the event with the task: both are committed, or neither, and RabbitMQ may be down meanwhile."""
    event = TaskEvent(
        type=kind.name.upper(),
        payload=TaskFields(
            id=task.id,
            title=task.title,
            description=task.description,
            status=task.status,
            user_id=task.user_id,
            category_id=task.category_id,
        ),
        metadata=Metadata(event_id=str(uuid4()), timestamp=datetime.now(UTC)),
    )
    await mill.submit(kind, event, within=within, idempotency_key=event.metadata.event_id)
