"""Accepting jobs: checked first, stored whole, answered at once."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import frozen

from jobmill.application.backlog import Backlog
from jobmill.application.codec.payload_schema import write_payload
from jobmill.application.codec.strict_json import FAULTS_MAX
from jobmill.application.commands import NO_OPTIONS, SubmitJob
from jobmill.application.commits import Commits
from jobmill.application.errors import IdempotencyConflict, TooLarge, UnknownType
from jobmill.application.handlers import JobType, Registry
from jobmill.application.key_claims import key_claims, repeated_keys
from jobmill.application.kin import (
    Kin,
    are_related,
    check_replays,
    partly_keyed,
    stored_predecessors,
    without_predecessor,
)
from jobmill.application.pauses import Pauses
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.job_repository import (
    AddAnswer,
    Conflicting,
    NewJob,
    Replayed,
    Stored,
    WithoutPredecessor,
    is_bound,
)
from jobmill.application.submission import CALLBACK
from jobmill.application.type_board import ForeignType
from jobmill.application.type_keeper import TypeKeeper
from jobmill.domain.errors import Fault, InvalidInput, joined
from jobmill.domain.job import Job
from jobmill.domain.options import DELAY_MAX, JobOptions
from jobmill.domain.ties import Ties

BATCH_MAX: Final = 1_000
PAYLOAD_BYTES_MAX: Final = 10 * 1024
_NOTHING: Final[frozenset[str]] = frozenset()
_UNRELATED: Final = Kin(is_any=False)


@frozen(kw_only=True)
class Accepted:
    """A job that stands for the request; ``replayed`` if an earlier request made it."""

    job: Job
    replayed: bool


@frozen(kw_only=True)
class Submitter:
    """Takes jobs in.

    Args:
        types: looks for types that only other processes have the code of; None where there are none.
    """

    commits: Commits
    registry: Registry
    clock: Clock
    entropy: Entropy
    backlog: Backlog
    types: TypeKeeper | None = None

    async def submit(
        self,
        commands: Sequence[SubmitJob],
        *,
        callback: SubmitJob | None = None,
        client: str = "",
        pointer: str = "",
    ) -> Sequence[Accepted]:
        """Store the jobs, all or none, and answer by position, the callback last.

        Args:
            commands: 1 to 1,000.
            callback: makes the jobs a batch: it runs when all of them have ended.
            client: the scope of idempotency keys.
            pointer: where the commands stand in the caller's input, for the places of faults; with
                ``{at}`` for the position. The callback stands at ``/callback``.

        Raises:
            InvalidInput: with every fault of every command, those noted in the commands included; where
                they are more than ``FAULTS_MAX``, the later commands are not looked at. Nothing is stored.
            QueueFull: no room in a queue for all of its jobs; nothing is stored.
            IdempotencyConflict: a key belongs to another request; nothing is stored.
            Unavailable: see ``GroupCommit.submit``.
        """
        everyone = commands if callback is None else (*commands, callback)
        if self.types is not None and not all(map(self._knows, everyone)):
            await self.types.look()
        pauses = Pauses()
        unit: dict[int, NewJob] = {}
        kin = await self.kin(commands, callback)
        for size_bytes in self._checked(commands, callback, client, pointer, unit, kin):
            if pauses.is_due(size_bytes):
                await asyncio.sleep(0)
        return await self.store(list(unit.values()), pointer=pointer)

    async def store(self, news: Sequence[NewJob], *, pointer: str = "") -> Sequence[Accepted]:
        """Store jobs that were checked, all or none; arguments and errors as in ``submit``.

        Repeating it with the same jobs is harmless.
        """
        await self.backlog.admit(jobs_by_queue(news))
        return _accepted(news, await self.commits.add(news), pointer)

    async def learn(self, names: Iterable[str], *, queues: Iterable[str] = ()) -> None:
        """Ask the store for types and queues that are not known here; while it is away they stay so."""
        if self.types is None:
            return
        known_queues = frozenset(self.registry.known_queues)
        if not known_queues.issuperset(queues) or any(
            self.registry.find_known(name) is None for name in names
        ):
            await self.types.look()

    def _knows(self, command: SubmitJob) -> bool:
        queue = command.options.queue
        known = self.registry.find_known(command.type) is not None
        return known and (queue is None or queue in self.registry.known_queues)

    def draft(
        self,
        commands: Sequence[SubmitJob],
        *,
        callback: SubmitJob | None = None,
        client: str = "",
        pointer: str = "",
        kin: Kin | None = None,
    ) -> list[NewJob]:
        """Check the jobs as ``submit`` does, in one go, and return them; nothing is stored.

        Args:
            kin: what ``kin`` says of them; without it they follow none but such as stand before them.
        """
        unit: dict[int, NewJob] = {}
        if kin is None:
            callback_id = self.entropy.job_id() if callback is not None else None
            kin = Kin(is_any=are_related(commands, callback), callback_id=callback_id)
        for _ in self._checked(commands, callback, client, pointer, unit, kin):
            pass
        return list(unit.values())

    async def kin(self, commands: Sequence[SubmitJob], callback: SubmitJob | None = None) -> Kin:
        """Return how these are related; those who were stored before are looked up."""
        if not are_related(commands, callback):
            return _UNRELATED
        named = stored_predecessors(commands)
        found = await self.commits.look(named) if named else ()
        predecessors = {job.id: job for job in found if job is not None}
        callback_id = None if callback is None else self.entropy.job_id()
        return Kin(is_any=True, callback_id=callback_id, predecessors=predecessors)

    def _checked(
        self,
        commands: Sequence[SubmitJob],
        callback: SubmitJob | None,
        client: str,
        pointer: str,
        unit: dict[int, NewJob],
        kin: Kin,
    ) -> Iterator[int]:
        """Put the jobs into ``unit``, the callback last; yield after each how many bytes were looked at."""
        if not 1 <= len(commands) <= BATCH_MAX:
            detail = f"a batch holds 1 to {BATCH_MAX:,} jobs, not {len(commands):,}"
            raise InvalidInput(Fault(pointer=pointer.removesuffix("/{at}"), detail=detail))
        refused: list[InvalidInput] = []
        for at, command in enumerate(commands):
            try:
                ties = kin.ties_of(command, at, unit) if kin.is_any else None
                unit[at] = self._new_job(command, client, ties)
                yield len(unit[at].job.payload)
            except InvalidInput as error:
                refused.append(error.below(pointer.format(at=at)))
                if sum(len(each.faults) for each in refused) >= FAULTS_MAX:
                    break
                yield PAYLOAD_BYTES_MAX
        if callback is not None:
            try:
                unit[len(commands)] = self._callback(callback, client, len(commands), kin)
            except InvalidInput as error:
                refused.append(error.below(CALLBACK))
        if len(unit) > 1:
            places = [pointer.format(at=at) for at in range(len(commands))] + [CALLBACK]
            together = commands if callback is None else (*commands, callback)
            lacking = partly_keyed(together) if kin.is_any and is_bound(list(unit.values())) else ()
            refused += [error.below(places[at]) for at, error in (*repeated_keys(unit), *lacking)]
        if refused:
            raise joined(refused)

    def _callback(self, callback: SubmitJob, client: str, size: int, kin: Kin) -> NewJob:
        if callback.options.follows is not None:
            detail = "leave it out: a callback comes after all jobs of its batch"
            raise InvalidInput(Fault(pointer="/follows", detail=detail))
        return self._new_job(callback, client, Ties(batch_size=size), job_id=kin.callback_id)

    def _new_job(
        self, command: SubmitJob, client: str, ties: Ties | None = None, job_id: UUID | None = None
    ) -> NewJob:
        declared = self.registry.find_known(command.type)
        payload = write_payload(command.payload)
        refused = self._refusals(command, declared, payload)
        if declared is None or refused:
            raise joined(refused)
        options, now, stamp = command.options, self.clock.now(), self.entropy.stamp()
        new_id = job_id or self.entropy.job_id()
        job = Job.submit(
            declared.rules, options, payload, job_id=new_id, now=now, stamp=stamp, origin=command.origin
        )
        if ties is not None:
            job = job.tied(ties)
        if options.idempotency_key is None and options.unique is None:
            return NewJob(job=job, keys=command.keys)
        return NewJob(job=job, keys=(*command.keys, *key_claims(job, command, client)))

    def _refusals(
        self, command: SubmitJob, declared: JobType[Any] | ForeignType | None, payload: str
    ) -> list[InvalidInput]:
        """Return all that is wrong with a command; of a part that could not be read nothing more is said."""
        unread = {fault.pointer for fault in command.faults} if command.faults else _NOTHING
        refused = [InvalidInput(*command.faults)] if command.faults else []
        if declared is None and unread.isdisjoint({"", "/type"}):
            refused.append(UnknownType(command.type, tuple(known.name for known in self.registry.known)))
        options = command.options
        if options is not NO_OPTIONS:
            for check in (JobOptions.check, self._check_queue, self._check_due):
                try:
                    check(options)
                except InvalidInput as error:
                    refused.append(error)
        if declared is not None and unread.isdisjoint({"", "/payload"}):
            try:
                _check_payload(declared, command, payload)
            except InvalidInput as error:
                refused.append(error)
        return refused

    def _check_queue(self, options: JobOptions) -> None:
        if options.queue is not None and options.queue not in self.registry.known_queues:
            known = ", ".join(self.registry.known_queues)
            raise InvalidInput(
                Fault(pointer="/queue", detail=f"no queue {options.queue[:50]!r}; declared queues: {known}")
            )

    def _check_due(self, options: JobOptions) -> None:
        """Times are added to this one, and a year beyond 9999 is no time."""
        run_at = options.run_at
        if run_at is not None and run_at.tzinfo is not None and run_at > self.clock.now() + DELAY_MAX:
            detail = f"must be at most {DELAY_MAX.days:,} days from now"
            raise InvalidInput(Fault(pointer="/run_at", detail=detail))


def _check_payload(declared: JobType[Any] | ForeignType, command: SubmitJob, text: str) -> None:
    """Size first: nobody wants the thousand faults of a payload that is refused anyway."""
    check_payload_size(text)
    schema = declared.schema
    if command.is_plain:
        schema.check(command.payload)
    elif command.checked_by is not schema:
        schema.structure(command.payload)


def check_payload_size(payload: str) -> None:
    """Raise ``TooLarge`` for a payload, as JSON text, that is longer than 10 KiB."""
    if (size := len(payload.encode())) > PAYLOAD_BYTES_MAX:
        detail = f"has {size:,} bytes, {PAYLOAD_BYTES_MAX:,} are allowed; store it and send where it is"
        raise TooLarge(Fault(pointer="/payload", detail=detail))


def jobs_by_queue(news: Iterable[NewJob]) -> Mapping[str, int]:
    """Return how many of the jobs each queue gets."""
    counts: dict[str, int] = {}
    for new in news:
        counts[new.job.queue] = counts.get(new.job.queue, 0) + 1
    return counts


def _accepted(news: Sequence[NewJob], answers: Sequence[AddAnswer], pointer: str) -> Sequence[Accepted]:
    accepted: list[Accepted] = []
    for at, answer in enumerate(answers):
        if isinstance(answer, Stored | Replayed):
            accepted.append(Accepted(job=answer.job, replayed=isinstance(answer, Replayed)))
        elif isinstance(answer, Conflicting):
            raise IdempotencyConflict(key=answer.key, job_id=answer.job_id)
        elif isinstance(answer, WithoutPredecessor):
            raise without_predecessor(answer.job_id).below(pointer.format(at=at))
    if accepted[0].replayed and is_bound(news):
        check_replays(news, [each.job for each in accepted])
    return accepted
