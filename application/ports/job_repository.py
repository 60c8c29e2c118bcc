"""Where jobs are kept: the only truth about a job."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from attrs import frozen

from jobmill.domain.idempotency import KeyClaim
from jobmill.domain.job import Job
from jobmill.domain.transition import Transition


@frozen(kw_only=True)
class NewJob:
    """A job to be stored, with the keys it claims for itself."""

    job: Job
    keys: tuple[KeyClaim, ...] = ()


@frozen(kw_only=True)
class Stored:
    """The job is stored, by this call or by an earlier try of it."""

    job: Job


@frozen(kw_only=True)
class Replayed:
    """A key answers with the job that took it first, as that job stands now."""

    job: Job


@frozen(kw_only=True)
class Conflicting:
    """A key was taken by another request."""

    key: str
    job_id: UUID


@frozen(kw_only=True)
class Withheld:
    """Not stored, because another job of its unit conflicts."""


@frozen(kw_only=True)
class WithoutPredecessor:
    """Not stored, because the job that it follows is not there.

    Args:
        job_id: of the one that is not there.
    """

    job_id: UUID


AddAnswer = Stored | Replayed | Conflicting | Withheld | WithoutPredecessor


@frozen(kw_only=True)
class Saved:
    """The transition stands in the store. ``job`` has what is outside the fence as the row has it."""

    job: Job


@frozen(kw_only=True)
class Stale:
    """Refused: the version, the state or the guard no longer holds. A normal outcome."""

    job_id: UUID


@frozen(kw_only=True)
class Unknown:
    """The store was cut off and could not be asked in time whether the transition stands."""

    job_id: UUID


SaveAnswer = Saved | Stale | Unknown


def is_bound(unit: Sequence[NewJob]) -> bool:
    """Return whether the jobs of a unit belong together: in a batch, or as some follow others of it."""
    if not any(new.job.is_tied for new in unit):
        return False
    own = {new.job.id for new in unit}
    return any(new.job.batch is not None or new.job.follows in own for new in unit)


class JobRepository(Protocol):
    """Jobs, their notices and their history, stored together or not at all.

    Every method may raise ``StorageUnavailable`` (surely nothing changed), ``StorageUnknown`` (cut off in the
    middle) or ``StorageRefused`` (a value no store can hold; nothing changed). Repeating a call with the same
    jobs and stamps is harmless and gives the answers of the first.
    """

    async def add(self, units: Sequence[Sequence[NewJob]]) -> Sequence[Sequence[AddAnswer]]:
        """Store new jobs, in one transaction; answer per unit and position.

        A unit is stored whole or not at all: if one of its keys conflicts, that job is ``Conflicting``, its
        neighbours are ``Withheld``, and none of the unit's keys is taken. A job one of whose keys is held by
        another job with the same fingerprint is ``Replayed`` and not stored; the rest of its unit is.

        Of a bound unit, see ``is_bound``, either all jobs are replayed or none: where some are, these are
        ``Conflicting`` and the others ``Withheld``. A job that follows one which is neither stored nor in its
        unit is ``WithoutPredecessor``, and its neighbours are withheld as well. Who is followed, and whoever
        belongs to a batch, is watched from here on: see ``EndedJobs``.

        A queued job gets an outbox row with its stamp as the row's id; a scheduled one gets none. A key is
        free, or can be taken over when its hold is over *and* its job is finished, by the store's clock. The
        caller sees to it that no key appears twice in one call.
        """
        ...

    async def get(self, job_ids: Sequence[UUID]) -> Sequence[Job | None]:
        """Return the jobs by position, None for an unknown id."""
        ...

    async def save(self, transitions: Sequence[Transition]) -> Sequence[SaveAnswer]:
        """Save each transition by compare-and-set, all in one transaction; answer by position.

        A transition is saved only where the row's version and stamp are those of ``before`` and, by the
        store's clock in the statement itself, its guard holds: CLAIM: waiting, ``retry_at`` not later than
        now, not expired, not asked to stop, attempts left; LAPSED: ``lease_until`` before now; DUE:
        ``wake_at`` not later than now; EXPIRED: ``expires_at`` not later than now. Where the row already has
        the new version with the new stamp, the answer is ``Saved`` as well.

        Type, queue, payload, keys and ``created_at`` are never written, except the payload by a requeue that
        raises ``edition``. ``lease_until`` is the store's now plus the transition's ``lease``, or null.
        Copied from no snapshot are ``stop_asked``, which a requeue clears, and ``announces``, which a start
        or a requeue sets to 0; a start or a success may leave ``announced_at`` as the row has it. The history
        row, and the outbox row with the new stamp as its id if the target is not NONE, are written with it.
        History beyond the last 25 rows of a job may be dropped. ``inherited`` is written where the transition
        has it. A requeued job is watched: see ``EndedJobs``.

        The caller sees to it that no job appears twice in one call.
        """
        ...
