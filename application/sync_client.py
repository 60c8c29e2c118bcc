"""The client for code without an event loop: the same verbs, each of which waits for its answer."""

import atexit
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, overload
from uuid import UUID

from attrs import frozen

from jobmill.application.batches import Batch, BatchReport, batch_of
from jobmill.application.client import WAIT_DEFAULT, Client
from jobmill.application.enlister import Enlister
from jobmill.application.errors import ClientClosed, NeedsDatabase
from jobmill.application.filters import Filters
from jobmill.application.handlers import JobType
from jobmill.application.loop_thread import END_WITHIN_S, LoopThread, never_free
from jobmill.application.opening import Access, Opener, Opening
from jobmill.application.ports.enlisting import ParamStyle, Transactional
from jobmill.application.public_job import Job
from jobmill.application.submission import Options, Submission, callback_of, commands_of, types_of

P = TypeVar("P")
T = TypeVar("T")


@frozen(kw_only=True, eq=False)
class _Running:
    """A client that is open, with the thread in which it lives."""

    thread: LoopThread
    opening: Opening
    access: Access
    client: Client

    def close(self, *, within_s: float | None = None) -> None:
        """Close it; what a parent process opened is left to the parent."""
        atexit.unregister(self.close_at_exit)
        if not self.thread.is_ours:
            never_free(self)
            return
        self.client.close()
        try:
            self.thread.call(self.opening.close(), within_s=within_s)
        except TimeoutError:
            never_free(self)
        else:
            self.thread.stop()

    def close_at_exit(self) -> None:
        """Close what nobody closed, without holding up the end of the process for long."""
        self.close(within_s=END_WITHIN_S)


class SyncClient:
    """A connection to Jobmill for any number of threads.

    It is opened by the first call that needs it, in each process anew: a client that was made before a fork
    serves parent and children. Methods raise as those of ``Client``. With ``within=`` the writing is done in
    the caller's own thread, by the caller's connection.
    """

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._running: _Running | None = None
        self._is_closed = False
        self._lock = threading.Lock()

    @overload
    def submit(
        self,
        job_type: JobType[P],
        payload: P,
        *,
        within: Transactional | None = None,
        **options: Unpack[Options],
    ) -> Job: ...
    @overload
    def submit(
        self,
        job_type: str,
        payload: Mapping[str, Any],
        *,
        within: Transactional | None = None,
        **options: Unpack[Options],
    ) -> Job: ...
    def submit(
        self,
        job_type: Any,
        payload: Any,
        *,
        within: Transactional | None = None,
        **options: Unpack[Options],
    ) -> Job:
        """See ``Client.submit``; ``within`` is a session or a connection that is not async."""
        [job] = self.submit_many([Submission(job_type, payload, options=options)], within=within)
        return job

    def submit_many(
        self, submissions: Sequence[Submission[Any]], *, within: Transactional | None = None
    ) -> Sequence[Job]:
        """See ``Client.submit_many``."""
        if within is None:
            return self._call(lambda client: client.submit_many(submissions))
        return self._store_now(submissions, None, within)

    def submit_batch(
        self,
        submissions: Sequence[Submission[Any]],
        *,
        callback: Submission[Any],
        within: Transactional | None = None,
    ) -> Batch:
        """See ``Client.submit_batch``."""
        if within is None:
            return self._call(lambda client: client.submit_batch(submissions, callback=callback))
        return batch_of(self._store_now(submissions, callback, within))

    def batch(self, batch: UUID | str | Batch) -> BatchReport:
        """See ``Client.batch``."""
        return self._call(lambda client: client.batch(batch))

    def _store_now(
        self, submissions: Sequence[Submission[Any]], last: Submission[Any] | None, within: Transactional
    ) -> Sequence[Job]:
        running = self._open()
        enlister = _enlister_of(running)
        commands, callback = commands_of(submissions, is_batch=last is not None), callback_of(last)
        running.thread.call(enlister.learn(commands, callback))
        types = types_of(submissions if last is None else [*submissions, last])
        drafts = enlister.draft(commands, types, callback=callback)
        running.thread.call(enlister.admit(drafts))
        return enlister.store_now(within, drafts)

    def as_sql(
        self,
        job_type: JobType[P],
        payload: P,
        *,
        paramstyle: ParamStyle = "format",
        **options: Unpack[Options],
    ) -> tuple[str, Any]:
        """See ``Client.as_sql``."""
        submission = Submission(job_type, payload, options=options)
        enlister = _enlister_of(self._open())
        return enlister.statement(submission.command(), types_of([submission]), paramstyle)

    def get(self, job: UUID | str | Job) -> Job:
        """See ``Client.get``."""
        return self._call(lambda client: client.get(job))

    def list(self, *, limit: int = 50, **filters: Unpack[Filters]) -> Sequence[Job]:
        """See ``Client.list``."""
        return self._call(lambda client: client.list(limit=limit, **filters))

    def wait(self, job: UUID | str | Job, *, timeout: timedelta = WAIT_DEFAULT) -> Job:
        """See ``Client.wait``."""
        return self._call(lambda client: client.wait(job, timeout=timeout))

    def cancel(self, job: UUID | str | Job) -> Job:
        """See ``Client.cancel``."""
        return self._call(lambda client: client.cancel(job))

    def requeue(self, job: UUID | str | Job, *, payload: Mapping[str, Any] | None = None) -> Job:
        """See ``Client.requeue``."""
        return self._call(lambda client: client.requeue(job, payload=payload))

    def close(self) -> None:
        """Close the connections and end the thread; again is harmless."""
        with self._lock:
            self._is_closed = True
            running, self._running = self._running, None
        if running is not None:
            running.close()

    def __enter__(self) -> Self:
        """Return the client itself; it is opened when it is first needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _call(self, work: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
        running = self._open()
        return running.thread.call(work(running.client))

    def _open(self) -> _Running:
        running = self._running
        if running is not None and running.thread.is_ours:
            return running
        with self._lock:
            if self._is_closed:
                raise ClientClosed
            if self._running is not None and not self._running.thread.is_ours:
                self._running.close()
                self._running = None
            if self._running is None:
                self._running = self._opened()
                atexit.register(self._running.close_at_exit)
            return self._running

    def _opened(self) -> _Running:
        thread = LoopThread()
        try:
            opening = Opening(self._opener)
            access = thread.call(opening.open())
        except BaseException:
            thread.stop()
            raise
        client = Client(access.gateway, access.enlister)
        return _Running(thread=thread, opening=opening, access=access, client=client)


def _enlister_of(running: _Running) -> Enlister:
    if running.access.enlister is None:
        raise NeedsDatabase
    return running.access.enlister
