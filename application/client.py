"""The client: typed submissions and what follows from them, over any gateway."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypedDict, TypeVar, Unpack, cast, overload
from uuid import UUID

from attrs import field, frozen

from jobmill.application.commands import SubmitJob
from jobmill.application.errors import ClientClosed, WaitTimedOut
from jobmill.application.gateway import Gateway
from jobmill.application.handlers import JobType
from jobmill.application.ports.job_finder import JobQuery
from jobmill.application.public_job import Job
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.options import JobOptions, Unique
from jobmill.domain.states import JobState, Priority

P = TypeVar("P")

WAIT_DEFAULT: Final = timedelta(seconds=60)


class Options(TypedDict, total=False):
    """What may be asked for one job; what is left out follows the rules of its type.

    Durations are ``timedelta``, times have a zone. See ``JobOptions`` for the ranges.
    """

    queue: str
    priority: Priority
    run_at: datetime
    delay: timedelta
    ttl: timedelta
    max_attempts: int
    timeout: timedelta
    correlation_id: str
    idempotency_key: str
    tenant: str
    tags: Sequence[str]
    unique: str | Unique


@frozen
class Submission(Generic[P]):
    """One job of several that are submitted together."""

    job_type: JobType[P] | str
    payload: P
    options: Options = field(factory=Options, kw_only=True)

    def command(self) -> SubmitJob:
        """Return what is asked of the services; raises ``InvalidPayload``."""
        options = job_options(self.options)
        if isinstance(self.job_type, str):
            return SubmitJob(type=self.job_type, payload=self.payload, options=options)
        payload = self.job_type.schema.dump(self.payload)
        return SubmitJob(type=self.job_type.name, payload=payload, options=options)


class Client:
    """An open connection to Jobmill, to be used by one event loop.

    Every method raises ``ClientClosed`` once the client is closed, ``Unavailable`` (``retry_after``) where
    what it stands on cannot be reached, and errors with the same ``code`` as the problems of the HTTP API.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway: Gateway | None = gateway

    @overload
    async def submit(self, job_type: JobType[P], payload: P, **options: Unpack[Options]) -> Job: ...
    @overload
    async def submit(self, job_type: str, payload: Mapping[str, Any], **options: Unpack[Options]) -> Job: ...
    async def submit(self, job_type: Any, payload: Any, **options: Unpack[Options]) -> Job:
        """Store one job and return it at once.

        Args:
            job_type: what the decorator returned, or a type's name.
            payload: an instance of the type's payload class; with a name, plain values.

        Raises:
            InvalidPayload: ``faults`` has each place and what is wrong there; nothing is stored.
            InvalidInput: an option is out of its range; nothing is stored.
            UnknownType: no such name.
            IdempotencyConflict: the key belongs to another request.
            QueueFull: the queue holds as many undelivered jobs as it may.
        """
        [job] = await self.submit_many([Submission(job_type, payload, options=options)])
        return job

    async def submit_many(self, submissions: Sequence[Submission[Any]]) -> Sequence[Job]:
        """Store 1 to 1,000 jobs, all or none, and return them in the same order; errors as in ``submit``."""
        types = [each.job_type for each in submissions if isinstance(each.job_type, JobType)]
        commands = [each.command() for each in submissions]
        return await self._open().submit(commands, types=types)

    async def get(self, job: UUID | str | Job) -> Job:
        """Return a job as it stands; raises ``JobNotFound``."""
        return await self._open().get(id_of(job))

    async def list(
        self,
        *,
        status: Sequence[JobState] = (),
        type: JobType[Any] | str | None = None,  # noqa: A002 - the word of every other interface
        queue: str | None = None,
        tag: str | None = None,
        tenant: str | None = None,
        correlation_id: str | None = None,
        after: UUID | Job | None = None,
        limit: int = 50,
    ) -> Sequence[Job]:
        """Return a page of jobs, newest first.

        Args:
            after: the last job of the page before.
            limit: 1 to 200.
        """
        name = type.name if isinstance(type, JobType) else type and type.lower()
        query = JobQuery(
            states=frozenset(status),
            type=name,
            queue=queue,
            tag=tag,
            tenant=tenant,
            correlation_id=correlation_id,
            after=None if after is None else id_of(after),
            limit=limit,
        )
        return await self._open().page(query)

    async def wait(self, job: UUID | str | Job, *, timeout: timedelta = WAIT_DEFAULT) -> Job:
        """Return a job when it is finished, however it ended.

        Raises:
            WaitTimedOut: it was not finished in time; it goes on.
        """
        seen = await self._open().wait(id_of(job), within=timeout)
        if not seen.is_finished:
            raise WaitTimedOut(seen.id, seen.status.value, timeout)
        return seen

    async def cancel(self, job: UUID | str | Job) -> Job:
        """Take a waiting job back; ask a running one to stop, which it does within seconds.

        Raises:
            IllegalTransition: it is finished already.
        """
        return await self._open().cancel(id_of(job))

    async def requeue(self, job: UUID | str | Job, *, payload: Mapping[str, Any] | None = None) -> Job:
        """Start a dead or cancelled job over, with fresh attempts, and another payload if one is given.

        Raises:
            IllegalTransition: it is neither.
            InvalidPayload: the edited payload is refused; nothing is changed.
        """
        return await self._open().requeue(id_of(job), payload=None if payload is None else dict(payload))

    def close(self) -> None:
        """Let go; whoever opened the client closes what lies behind."""
        self._gateway = None

    def _open(self) -> Gateway:
        if self._gateway is None:
            raise ClientClosed
        return self._gateway


def id_of(job: UUID | str | Job) -> UUID:
    """Return a job's id; raises ``InvalidInput`` for a text that is none."""
    if isinstance(job, Job):
        return job.id
    return job if isinstance(job, UUID) else _read_id(job)


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(Fault(pointer="/id", detail=f"{text[:60]!r} is no job's id")) from None


def job_options(options: Options) -> JobOptions:
    """Return the wishes as the services take them."""
    wishes = dict(options)
    if isinstance(unique := wishes.get("unique"), str):
        wishes["unique"] = Unique(key=unique)
    if "tags" in wishes:
        wishes["tags"] = tuple(cast("Sequence[str]", wishes["tags"]))
    return JobOptions(**cast("dict[str, Any]", wishes))
