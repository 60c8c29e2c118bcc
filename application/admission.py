"""Which jobs may begin here now, beside those that have begun."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from jobmill.application.handlers import HandlerKind, Registry
from jobmill.application.provider_gate import ProviderGate
from jobmill.application.suspects import Suspects
from jobmill.domain.job import Job

#: A job needs one of the worker's slots, and a thread or a process where its handler's kind has one.
LIMITED: Final = (HandlerKind.THREAD, HandlerKind.PROCESS)


class Admission:
    """Joins the rules for suspects, the number of threads and processes, and what providers may be called.

    A thread counts as taken from the claim of its job until the job's handler has really ended.

    Args:
        threads: jobs with a ``def`` handler that may run at once, 1 or more.
        processes: the like for handlers in processes.
    """

    def __init__(self, *, suspects: Suspects, registry: Registry, threads: int, processes: int) -> None:
        self._suspects = suspects
        self._registry = registry
        self._room = {HandlerKind.THREAD: threads, HandlerKind.PROCESS: processes}
        self._kinds: dict[str, HandlerKind | None] = {}  # of types that were met; None for an unlimited one
        self._providers = ProviderGate()
        self._edition = 0

    @property
    def edition(self) -> int:
        """Another one when other jobs are free than before."""
        return self._edition

    @property
    def is_open(self) -> bool:
        """No type of job waits for its providers."""
        return self._providers.is_open

    def look(self) -> None:
        """See which providers may be called now; once in a turn, so that all of it goes by one answer."""
        self._edition += self._providers.look()

    def keeps(self, jobs: Sequence[Job]) -> bool:
        """All these wait for providers, and nothing that could start waits behind them."""
        return self._providers.keeps(jobs)

    def is_free(self, job: Job) -> bool:
        """The job needs nothing but a slot."""
        return not job.suspect and self._kind(job) is None and not self._providers.bars(job)

    def admits(self, job: Job) -> bool:
        """Whether a job may begin now, if there is a slot."""
        return self._has_room(job) and self._suspects.admits(job) and self._providers.admits(job)

    def begin(self, job: Job) -> None:
        """Note that a job begins, or is being claimed."""
        self._suspects.begin(job)
        self._providers.begin(job)
        self._take(job, 1)

    def ended(self, jobs: Sequence[Job]) -> None:
        """Note that jobs run here no more, or never began: once for each that began."""
        if not self._suspects.are_none:
            for job in jobs:
                self._suspects.ended(job.id)
        self._providers.ended(jobs)
        for job in jobs:
            self._take(job, -1)

    def passed(self, job_id: UUID) -> bool:
        """Note that a suspect has run for a while and killed nobody; True if that lets another begin."""
        return self._suspects.passed(job_id)

    def _has_room(self, job: Job) -> bool:
        kind = self._kind(job)
        return kind is None or self._room[kind] > 0

    def _take(self, job: Job, count: int) -> None:
        kind = self._kind(job)
        if kind is not None:
            self._room[kind] -= count

    def _kind(self, job: Job) -> HandlerKind | None:
        """Look each type up once: this is asked of every job that waits, again and again."""
        try:
            return self._kinds[job.type]
        except KeyError:
            declared = self._registry.find(job.type)
            if declared is None:
                return None  # it may be learnt yet; until then it has no handler to run
            kind = declared.kind if declared.kind in LIMITED else None
            self._kinds[job.type] = kind
            if declared.outlook is not None:
                self._providers.meet(job.type, declared.outlook, queue=declared.rules.queue)
            return kind
