"""The client: typed submissions and what follows from them, over any gateway."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar, Unpack, overload
from uuid import UUID

from jobmill.application.batches import Batch, BatchReport, batch_of
from jobmill.application.enlister import Enlister
from jobmill.application.errors import ClientClosed, NeedsDatabase, WaitTimedOut
from jobmill.application.filters import Filters, id_of, job_query
from jobmill.application.gateway import Gateway
from jobmill.application.handlers import JobType
from jobmill.application.ports.enlisting import ParamStyle, Transactional
from jobmill.application.public_job import Job
from jobmill.application.submission import Options, Submission, callback_of, commands_of, types_of

__all__ = ["WAIT_DEFAULT", "Client", "Options", "Submission"]

P = TypeVar("P")

WAIT_DEFAULT: Final = timedelta(seconds=60)


class Client:
    """An open connection to Jobmill, to be used by one event loop.

    Every method raises ``ClientClosed`` once the client is closed, ``Unavailable`` (``retry_after``) where
    what it stands on cannot be reached, and errors with the same ``code`` as the problems of the HTTP API.
    """

    def __init__(self, gateway: Gateway, enlister: Enlister | None = None) -> None:
        self._gateway: Gateway | None = gateway
        self._enlister = enlister

    @overload
    async def submit(
        self,
        job_type: JobType[P],
        payload: P,
        *,
        within: Transactional | None = None,
        **options: Unpack[Options],
    ) -> Job: ...
    @overload
    async def submit(
        self,
        job_type: str,
        payload: Mapping[str, Any],
        *,
        within: Transactional | None = None,
        **options: Unpack[Options],
    ) -> Job: ...
    async def submit(
        self,
        job_type: Any,
        payload: Any,
        *,
        within: Transactional | None = None,
        **options: Unpack[Options],
    ) -> Job:
        """Store one job and return it at once.

        Args:
            job_type: what the decorator returned, or a type's name.
            payload: an instance of the type's payload class; with a name, plain values.
            within: an SQLAlchemy session or connection to Jobmill's database, async or not. The job is
                stored in its transaction: committed with it, or not at all.

        Raises:
            InvalidPayload: ``errors`` has each place and what is wrong there; nothing is stored.
            InvalidInput: an option is out of its range; nothing is stored.
            UnknownType: no such name.
            IdempotencyConflict: the key belongs to another request.
            QueueFull: the queue holds as many undelivered jobs as it may.
            ForeignDatabase: ``within`` leads to another database.
            NeedsDatabase: ``within`` was given to a client over HTTP.
        """
        [job] = await self.submit_many([Submission(job_type, payload, options=options)], within=within)
        return job

    async def submit_many(
        self, submissions: Sequence[Submission[Any]], *, within: Transactional | None = None
    ) -> Sequence[Job]:
        """Store 1 to 1,000 jobs, all or none, and return them in the same order; errors as in ``submit``."""
        return await self._submit(submissions, None, within)

    async def submit_batch(
        self,
        submissions: Sequence[Submission[Any]],
        *,
        callback: Submission[Any],
        within: Transactional | None = None,
    ) -> Batch:
        """Store 1 to 1,000 jobs and one that runs when all of them have ended, however they did.

        The callback is queued exactly once; its handler finds in ``JobContext.previous`` how they ended.
        Either all of the jobs have an idempotency key, the callback included, or none has.

        Args:
            within: as in ``submit``.

        Raises:
            InvalidInput, InvalidPayload: as in ``submit``; ``errors`` has the places, as in ``/3/payload``
                and ``/callback/payload``.
        """
        return batch_of(await self._submit(submissions, callback, within))

    async def batch(self, batch: UUID | str | Batch) -> BatchReport:
        """Return how a batch stands; raises ``JobNotFound``."""
        return await self._open().batch(batch.id if isinstance(batch, Batch) else id_of(batch))

    async def _submit(
        self,
        submissions: Sequence[Submission[Any]],
        last: Submission[Any] | None,
        within: Transactional | None,
    ) -> Sequence[Job]:
        gateway = self._open()
        commands, callback = commands_of(submissions, is_batch=last is not None), callback_of(last)
        types = types_of(submissions if last is None else [*submissions, last])
        if within is None:
            return await gateway.submit(commands, types=types, callback=callback)
        enlister = self._enlisting()
        await enlister.learn(commands, callback)
        drafts = enlister.draft(commands, types, callback=callback)
        await enlister.admit(drafts)
        return await enlister.store(within, drafts)

    def as_sql(
        self,
        job_type: JobType[P],
        payload: P,
        *,
        paramstyle: ParamStyle = "format",
        **options: Unpack[Options],
    ) -> tuple[str, Any]:
        """Return one statement that stores a job, and its parameters, for the cursor of any DB-API driver.

        Nothing is asked of the database here. Executed, the statement returns one row: ``id`` as a text,
        ``is_new``, which is false where the job's key is taken and ``id`` is that of the job that has it,
        and ``conflicts``, which is true where that one was another request. How many jobs a queue holds is
        not looked at.

        Args:
            paramstyle: of the driver, as in its ``paramstyle``; ``format`` for Django, psycopg and psycopg2.

        Raises:
            InvalidPayload, InvalidInput: as in ``submit``.
            NeedsDatabase: the client is one over HTTP.
        """
        self._open()
        submission = Submission(job_type, payload, options=options)
        return self._enlisting().statement(submission.command(), types_of([submission]), paramstyle)

    async def get(self, job: UUID | str | Job) -> Job:
        """Return a job as it stands; raises ``JobNotFound``."""
        return await self._open().get(id_of(job))

    async def list(self, *, limit: int = 50, **filters: Unpack[Filters]) -> Sequence[Job]:
        """Return a page of jobs, newest first.

        Args:
            limit: 1 to 200.
            filters: see ``Filters``; every one that is given must hold.
        """
        return await self._open().page(job_query(filters, limit=limit))

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

    def _enlisting(self) -> Enlister:
        if self._enlister is None:
            raise NeedsDatabase
        return self._enlister
