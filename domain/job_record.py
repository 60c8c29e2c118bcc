"""What is known of a job, and what can be read from it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from attrs import frozen

from jobmill.domain.errors import IllegalTransition
from jobmill.domain.failure import FailureKind
from jobmill.domain.job_type import TypeRules
from jobmill.domain.options import JobOptions
from jobmill.domain.states import JobState, Priority
from jobmill.domain.ties import Ties
from jobmill.domain.transition import Fence


@frozen(kw_only=True, slots=False)
class JobRecord:
    """One unit of work and all that is known of it.

    Its fields lie in a dictionary, so that the next version of a job is made by copying that whole, several
    times a job: see ``changed``.

    ``attempt`` counts attempts started. ``payload`` and ``result`` are JSON texts, opaque here;
    ``payload_version`` says which of the type's payload classes the payload was made for. ``origin``, JSON
    as well, is what a foreign producer said of the message that became this job. ``wake_at`` is when the
    scheduler has to look at a scheduled or retrying job. ``lease_until`` and ``stop_asked`` change without a
    new version, so what stands here is only what was last seen.

    ``follows`` is the job after whose success this one comes, and ``chain_depth`` how many stand before it
    in this way. ``batch`` is the callback of the batch that it belongs to; only a callback has a
    ``batch_size``. ``inherited`` is the JSON text that a follower or a callback was let go with.
    """

    id: UUID
    type: str
    queue: str
    priority: Priority
    payload: str
    state: JobState
    version: int
    stamp: int
    max_attempts: int
    timeout: timedelta
    created_at: datetime
    updated_at: datetime
    attempt: int = 0
    run_at: datetime | None = None
    retry_at: datetime | None = None
    wake_at: datetime | None = None
    ttl: timedelta | None = None
    expires_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    announced_at: datetime | None = None
    worker: str | None = None
    lease_until: datetime | None = None
    stop_asked: bool = False
    error: str | None = None
    error_kind: FailureKind | None = None
    result: str | None = None
    edition: int = 0
    postpones: int = 0
    announces: int = 0
    suspect: bool = False
    correlation_id: str | None = None
    idempotency_key: str | None = None
    tenant: str | None = None
    tags: tuple[str, ...] = ()
    payload_version: int = 1
    origin: str | None = None
    follows: UUID | None = None
    chain_depth: int | None = None
    batch: UUID | None = None
    batch_size: int | None = None
    inherited: str | None = None

    @classmethod
    def submit(
        cls,
        rules: TypeRules,
        options: JobOptions,
        payload: str,
        *,
        job_id: UUID,
        now: datetime,
        stamp: int,
        origin: str | None = None,
    ) -> Self:
        """Make a new job, queued or, if it is due later, scheduled. The shorter time to live wins.

        What ties it to other jobs is added by ``tied``.
        """
        asked = now + options.delay if options.delay is not None else options.run_at
        run_at = asked if asked is not None and asked > now else None
        ttl = min((ttl for ttl in (options.ttl, rules.ttl) if ttl is not None), default=None)
        return cls(
            id=job_id,
            type=rules.name,
            queue=options.queue or rules.queue,
            priority=options.priority or rules.priority,
            payload=payload,
            state=JobState.SCHEDULED if run_at else JobState.QUEUED,
            version=1,
            stamp=stamp,
            max_attempts=options.max_attempts or rules.retry.max_attempts,
            timeout=options.timeout or rules.timeout,
            created_at=now,
            updated_at=now,
            run_at=run_at,
            wake_at=run_at,
            ttl=ttl,
            expires_at=None if ttl is None else (run_at or now) + ttl,
            announced_at=None if run_at else now,
            correlation_id=options.correlation_id,
            idempotency_key=options.idempotency_key,
            tenant=options.tenant,
            tags=options.tags,
            payload_version=rules.payload_version,
            origin=origin,
        )

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Self:
        """Return the job that has these fields, all of them, as it was once made and then kept somewhere.

        Faster than the constructor and without its questions; the dictionary is the job's from here on.
        """
        job = object.__new__(cls)
        object.__setattr__(job, "__dict__", fields)
        return job

    def changed(self, **changes: Any) -> Self:
        """Return the same but for some fields, like ``attrs.evolve`` and five times as fast.

        Raises:
            TypeError: there is no such field.
        """
        return self._with(changes)

    def _with(self, *changes: Mapping[str, Any]) -> Self:
        own = self.__dict__
        fields = own.copy()
        for each in changes:
            fields.update(each)
        if len(fields) != len(own):
            raise TypeError(f"a job has no {', '.join(sorted(fields.keys() - own.keys()))}")
        job = object.__new__(type(self))
        object.__setattr__(job, "__dict__", fields)
        return job

    def tied(self, ties: Ties) -> Self:
        """Return a new job as one of several that belong together; one that waits for others is held."""
        tied = self.changed(
            follows=ties.follows,
            chain_depth=ties.chain_depth,
            batch=ties.batch,
            batch_size=ties.batch_size,
        )
        if not tied.awaits:
            return tied
        return tied.changed(state=JobState.SCHEDULED, wake_at=None, announced_at=None, expires_at=None)

    @property
    def is_tied(self) -> bool:
        """It belongs together with other jobs."""
        return self.follows is not None or self.batch is not None or self.batch_size is not None

    @property
    def batch_id(self) -> UUID | None:
        """The batch that it has to do with, as one of its jobs or as its callback."""
        return self.id if self.batch_size is not None else self.batch

    @property
    def awaits(self) -> bool:
        """It comes after others, and was never let go yet."""
        return self.inherited is None and (self.follows is not None or self.batch_size is not None)

    @property
    def is_held(self) -> bool:
        """It waits for others to end: nothing that has a time moves it."""
        return self.state is JobState.SCHEDULED and self.awaits

    @property
    def fence(self) -> Fence:
        """This very version."""
        return Fence(job_id=self.id, version=self.version, stamp=self.stamp)

    @property
    def handler_key(self) -> str:
        """The idempotency key that handlers use: one per job and edition of its payload."""
        return f"{self.id}:{self.edition}" if self.edition else str(self.id)

    @property
    def travels_alone(self) -> bool:
        """Its notice shares no parcel: it may be what killed a worker."""
        return self.suspect or self.announces > 1

    def is_due(self, now: datetime) -> bool:
        """A waiting job may start at this time, as far as its retry is concerned."""
        return self.retry_at is None or self.retry_at <= now

    def is_expired(self, now: datetime) -> bool:
        """Its time to live is over."""
        return self.expires_at is not None and self.expires_at <= now

    def _require(self, verb: str, *states: JobState) -> None:
        if self.state not in states:
            raise self._refusal(verb)

    def _require_held(self, verb: str) -> None:
        if not self.is_held:
            raise self._refusal(verb, "it waits for no other job")

    def _refusal(self, verb: str, reason: str = "") -> IllegalTransition:
        return IllegalTransition(job_id=self.id, state=self.state.value, verb=verb, reason=reason)
