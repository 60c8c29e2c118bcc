"""Accepting jobs in a transaction of the caller's: checked like all others, stored by the caller's commit."""

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from jobmill.application.commands import SubmitJob
from jobmill.application.errors import IdempotencyConflict
from jobmill.application.handlers import JobType
from jobmill.application.ports.enlisting import Enlisting, ParamStyle, Transactional
from jobmill.application.ports.job_repository import AddAnswer, Conflicting, NewJob, Replayed, Stored
from jobmill.application.public_job import Job, seen_from_outside
from jobmill.application.submission import place_of_each
from jobmill.application.submitter import Submitter, jobs_by_queue


@frozen(kw_only=True)
class Enlister:
    """Takes jobs in where the caller commits.

    ``draft``, ``store_now`` and ``statement`` need no event loop and may be called from any thread.
    """

    submitter: Submitter
    enlisting: Enlisting

    def draft(
        self,
        commands: Sequence[SubmitJob],
        types: Sequence[JobType[Any]],
        *,
        callback: SubmitJob | None = None,
    ) -> Sequence[NewJob]:
        """Check the commands and make their jobs, the callback's last; nothing is stored.

        Errors are as in ``Submitter.submit``. A job that was stored before cannot be followed: its row would
        be locked until the caller commits, and whoever wants to settle it would wait for that.
        """
        for declared in types:
            self.submitter.registry.learn(declared)
        pointer = place_of_each(commands, is_batch=callback is not None)
        return self.submitter.draft(commands, callback=callback, pointer=pointer)

    async def learn(self, named: Sequence[SubmitJob], callback: SubmitJob | None = None) -> None:
        """Ask the store for types and queues that are named in the commands and not known here."""
        commands = named if callback is None else [*named, callback]
        queues = {command.options.queue for command in commands if command.options.queue is not None}
        await self.submitter.learn({command.type for command in commands}, queues=queues)

    async def admit(self, drafts: Sequence[NewJob]) -> None:
        """Find room in the queues; raises ``QueueFull`` and ``StorageUnavailable``."""
        await self.enlisting.recognise()
        await self.submitter.backlog.admit(jobs_by_queue(drafts))

    async def store(self, within: Transactional, drafts: Sequence[NewJob]) -> Sequence[Job]:
        """Store what was admitted, all or none.

        Raises:
            IdempotencyConflict: a key belongs to another request.
            ForeignDatabase, InvalidInput, Unavailable: as in ``Enlisting.add``.
        """
        return _accepted(await self.enlisting.add(within, drafts))

    def store_now(self, within: Transactional, drafts: Sequence[NewJob]) -> Sequence[Job]:
        """Do the same in the caller's thread."""
        return _accepted(self.enlisting.add_now(within, drafts))

    def statement(
        self, command: SubmitJob, types: Sequence[JobType[Any]], style: ParamStyle
    ) -> tuple[str, Any]:
        """Return what stores the job, for a cursor; raises ``InvalidInput`` and its kin."""
        [new] = self.draft([command], types)
        return self.enlisting.statement(new, style)


def _accepted(answers: Sequence[AddAnswer]) -> Sequence[Job]:
    for answer in answers:
        if isinstance(answer, Conflicting):
            raise IdempotencyConflict(key=answer.key, job_id=answer.job_id)
    return [
        seen_from_outside(answer.job, replayed=isinstance(answer, Replayed))
        for answer in answers
        if isinstance(answer, Stored | Replayed)
    ]
