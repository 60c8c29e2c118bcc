"""The rows of an in-memory database: one object that all its ports read and write."""

from datetime import datetime
from uuid import UUID

from attrs import define, field, frozen

from jobmill.application.ports.barriers import Barrier
from jobmill.application.ports.message_bus import Lane
from jobmill.application.ports.progress import Progress
from jobmill.application.ports.provider_states import ProviderRecord
from jobmill.application.ports.quarantine import ForeignMessage
from jobmill.application.ports.type_registry import LiveWorker, StoredType
from jobmill.domain.job import Job
from jobmill.domain.states import TERMINAL, Target
from jobmill.domain.transition import Fence, HistoryEntry, Transition


@frozen(kw_only=True)
class KeyRow:
    """A key and the job that took it."""

    job_id: UUID
    fingerprint: str
    held_until: datetime


@frozen(kw_only=True)
class OutboxRow:
    """A notice not yet published; its own id is the key of the table."""

    fence: Fence
    target: Target
    written_at: datetime


@frozen(kw_only=True)
class RoleRow:
    """Who leads, and until when."""

    holder: str
    until: datetime


@frozen(kw_only=True)
class Effect:
    """Something that a handler wrote in the transaction in which its job succeeded."""

    statement: object
    parameters: object


@define(kw_only=True)
class EpochRow:
    """The one row about the broker's life, with the last job that a refill has looked at."""

    epoch: str | None = None
    refilling: bool = False
    cursor: UUID | None = None


@define(kw_only=True)
class BarrierRow:
    """The last barrier of a lane."""

    barrier: Barrier
    sent_at: datetime
    seen_at: datetime | None = None


@define(kw_only=True)
class Tables:
    """Everything the database holds. ``locked`` names jobs whose rows another statement holds."""

    jobs: dict[UUID, Job] = field(factory=dict)
    watched: dict[UUID, int] = field(factory=dict)  # jobs for whose end others may wait, with a stamp
    keys: dict[tuple[str, str], KeyRow] = field(factory=dict)
    outbox: dict[int, OutboxRow] = field(factory=dict)
    history: dict[UUID, list[HistoryEntry]] = field(factory=dict)
    quarantine: dict[UUID, ForeignMessage] = field(factory=dict)
    roles: dict[str, RoleRow] = field(factory=dict)
    effects: list[Effect] = field(factory=list)
    presences: dict[int, object] = field(factory=dict)  # locks, each with the session that holds it
    epoch: EpochRow = field(factory=EpochRow)
    barriers: dict[Lane, BarrierRow] = field(factory=dict)
    progress: dict[UUID, Progress] = field(factory=dict)
    job_types: dict[tuple[str, str], StoredType] = field(factory=dict)  # by name and hash
    workers: dict[str, LiveWorker] = field(factory=dict)
    providers: dict[str, ProviderRecord] = field(factory=dict)
    locked: set[UUID] = field(factory=set)

    def standing(self, fence: Fence) -> Job | None:
        """Return the job if it is at exactly this version."""
        job = self.jobs.get(fence.job_id)
        return job if job is not None and job.fence == fence else None

    def is_open(self, job_id: UUID) -> bool:
        """The job is there and not finished."""
        job = self.jobs.get(job_id)
        return job is not None and job.state not in TERMINAL

    def announce(self, row: int, job: Job, target: Target, *, now: datetime) -> None:
        """Write a notice of the job as it stands; a row that is there already stays as it is."""
        self.outbox.setdefault(row, OutboxRow(fence=job.fence, target=target, written_at=now))

    def record(self, transition: Transition, *, keep: int) -> None:
        """Add to the job's history what the move leaves there, and drop all but the last ``keep``."""
        entry = transition.history
        if entry is not None:
            kept = self.history.setdefault(entry.job_id, [])
            kept.append(entry)
            del kept[:-keep]
