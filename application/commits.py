"""Every write of jobs goes through here: grouped, observed, and announced to the relay."""

import asyncio
from collections.abc import Callable, Collection, Hashable, Sequence
from itertools import chain, islice
from typing import Final, TypeVar
from uuid import UUID

from jobmill.application.errors import StorageRefused, StorageUnavailable, StorageUnknown
from jobmill.application.group_commit import GroupCommit, GroupLimits
from jobmill.application.ports.clock import Entropy
from jobmill.application.ports.job_repository import (
    AddAnswer,
    JobRepository,
    NewJob,
    SaveAnswer,
    Saved,
    Stale,
    Stored,
    Unknown,
)
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.outbox import Notice
from jobmill.domain.job import Job
from jobmill.domain.states import JobState, Target
from jobmill.domain.transition import Transition

#: How long a caller that is not bound to a lease keeps trying while the store is away.
WITHIN_S: Final = 5.0

#: Clients that submit one job after the other come back together, so two halves of them take turns; where few
#: are there, a second statement would cost more than it spares.
_ADDS: Final = GroupLimits(side_by_side=8)

Answer = TypeVar("Answer")
Announce = Callable[[Sequence[Notice]], None]


class Commits:
    """Stores jobs and transitions in batches, and hands their notices on once they are committed.

    Args:
        announce: receives the notices of what was just committed; it must not wait.
    """

    def __init__(
        self, *, jobs: JobRepository, entropy: Entropy, observer: Observer, announce: Announce
    ) -> None:
        self._jobs = jobs
        self._observer = observer
        self._announce = announce
        fraction = entropy.fraction
        self._adds = GroupCommit[NewJob, AddAnswer](
            self._add, keys=_keys_of_new, fraction=fraction, limits=_ADDS
        )
        self._claims = GroupCommit[Transition, SaveAnswer](self._save, keys=_keys_of_moves, fraction=fraction)
        self._saves = GroupCommit[Transition, SaveAnswer](self._save, keys=_keys_of_moves, fraction=fraction)
        self._looks = GroupCommit[UUID, Job | None](self._look, keys=_no_keys, fraction=fraction)

    async def add(self, unit: Sequence[NewJob], *, within_s: float = WITHIN_S) -> Sequence[AddAnswer]:
        """Store one unit of new jobs, all or nothing; errors as in ``GroupCommit.submit``."""
        return await self._adds.submit(unit, within_s=within_s)

    async def claim(self, starts: Sequence[Transition], *, within_s: float) -> Sequence[SaveAnswer]:
        """Save starts of jobs; like ``save``, in batches of their own."""
        return await self._try(self._claims, starts, within_s)

    async def save(
        self, transitions: Sequence[Transition], *, within_s: float = WITHIN_S
    ) -> Sequence[SaveAnswer]:
        """Save transitions; answer by position.

        Where the store was cut off until the time was over, the answer is ``Unknown``; where it refuses to
        hold a transition, ``Stale``, since surely nothing was saved.

        Raises:
            StorageUnavailable: surely nothing was saved.
        """
        return await self._try(self._saves, transitions, within_s)

    async def save_surely(self, transitions: Sequence[Transition]) -> Sequence[SaveAnswer]:
        """Save transitions like ``save``, and raise ``StorageUnknown`` where any answer is ``Unknown``."""
        answers = await self.save(transitions)
        if any(isinstance(answer, Unknown) for answer in answers):
            raise StorageUnknown("the database was cut off in the middle")
        return answers

    async def look(self, job_ids: Sequence[UUID], *, within_s: float = WITHIN_S) -> Sequence[Job | None]:
        """Load jobs as they are now, by position."""
        return await self._looks.submit(job_ids, within_s=within_s)

    async def drain(self) -> None:
        """Wait until every write handed in is answered."""
        for group in (self._adds, self._claims, self._saves):
            await group.drain()

    async def _try(
        self, group: GroupCommit[Transition, SaveAnswer], moves: Sequence[Transition], within_s: float
    ) -> Sequence[SaveAnswer]:
        try:
            return await group.submit(moves, within_s=within_s)
        except StorageUnknown:
            return [Unknown(job_id=move.job.id) for move in moves]
        except StorageRefused as error:
            if len(moves) > 1:  # the moves of one caller are no unit: find the guilty one
                return await asyncio.gather(*(self._try_alone(group, move, within_s) for move in moves))
            self._observer.noted("transition refused by the store", job_id=moves[0].job.id, reason=str(error))
            return [Stale(job_id=moves[0].job.id)]

    async def _try_alone(
        self, group: GroupCommit[Transition, SaveAnswer], move: Transition, within_s: float
    ) -> SaveAnswer:
        try:
            return (await self._try(group, [move], within_s))[0]
        except StorageUnavailable:  # its neighbours may be saved by now, so their answers must not get lost
            return Unknown(job_id=move.job.id)

    async def _add(self, units: Sequence[Sequence[NewJob]]) -> Sequence[Sequence[AddAnswer]]:
        answers = await self._jobs.add(units)
        stored = [answer.job for answer in chain.from_iterable(answers) if isinstance(answer, Stored)]
        self._observer.submitted(stored)
        queued = [job for job in stored if job.state is JobState.QUEUED]
        self._announce([Notice(row=job.stamp, job=job, target=Target.QUEUE) for job in queued])
        return answers

    async def _save(self, groups: Sequence[Sequence[Transition]]) -> Sequence[Sequence[SaveAnswer]]:
        moves = list(chain.from_iterable(groups))
        answers = await self._jobs.save(moves)
        saved: list[Transition] = []
        notices: list[Notice] = []
        for move, answer in zip(moves, answers, strict=True):
            if isinstance(answer, Saved):
                saved.append(move)
                if move.target is not Target.NONE:
                    notices.append(Notice(row=move.job.stamp, job=answer.job, target=move.target))
        self._observer.moved(saved)
        self._announce(notices)
        return _split(answers, groups)

    async def _look(self, groups: Sequence[Sequence[UUID]]) -> Sequence[Sequence[Job | None]]:
        return _split(await self._jobs.get(list(chain.from_iterable(groups))), groups)


def _split(answers: Sequence[Answer], groups: Sequence[Sequence[object]]) -> Sequence[Sequence[Answer]]:
    """Cut answers into the lengths of their groups."""
    if len(answers) == len(groups):
        return [(answer,) for answer in answers]  # a group is never empty
    rest = iter(answers)
    return [list(islice(rest, len(group))) for group in groups]


def _keys_of_new(unit: Sequence[NewJob]) -> Collection[Hashable]:
    keys: list[Hashable] = [new.job.id.int for new in unit]
    keys += [(claim.scope, claim.key) for new in unit for claim in new.keys]
    return keys


def _keys_of_moves(moves: Sequence[Transition]) -> Collection[Hashable]:
    return [move.job.id.int for move in moves]  # an UUID's own hash is slow


def _no_keys(_: Sequence[object]) -> Collection[Hashable]:
    return ()
