"""What becomes of each new job, once it is known who holds its keys."""

from collections.abc import Mapping, Sequence, Set
from typing import Any
from uuid import UUID

from attrs import define, field, frozen

from jobmill.application.ports.job_repository import (
    AddAnswer,
    Conflicting,
    NewJob,
    Replayed,
    Stored,
    Withheld,
    WithoutPredecessor,
    is_bound,
)
from jobmill.domain.idempotency import Conflict, KeyClaim, KeyVerdict, New, Replay, judge
from jobmill.domain.job import Job

Name = tuple[str, str]


@frozen(kw_only=True)
class Held:
    """A key that is in the table.

    Args:
        free: it may be taken over.
        job: the job that holds it, None if that is gone.
    """

    holder: UUID
    fingerprint: str
    free: bool
    job: Job | None


@define(kw_only=True)
class Verdicts:
    """The verdicts on all units of a call.

    Args:
        made: the jobs to be stored.
        free: the keys they take that nobody has, as rows of scope, key, job, fingerprint and hold.
        over: the keys they take over, likewise, and last the present holder.
    """

    made: list[Job] = field(factory=list)
    free: list[Sequence[Any]] = field(factory=list)
    over: list[Sequence[Any]] = field(factory=list)
    _answers: list[list[AddAnswer | UUID]] = field(factory=list)
    _holding: Mapping[UUID, Job]

    @classmethod
    def on(
        cls, units: Sequence[Sequence[NewJob]], held: Mapping[Name, Held], *, found: Set[UUID] = frozenset()
    ) -> "Verdicts":
        """Judge the units by who holds which key.

        Args:
            found: those whom they follow that are there.
        """
        # A key that is not free has its job, for a key whose job is gone is free.
        verdicts = cls(holding={each.holder: each.job for each in held.values() if each.job is not None})
        for unit in units:
            verdicts._judge(unit, held, found)
        return verdicts

    def answers(self, stored: Mapping[UUID, Job]) -> Sequence[Sequence[AddAnswer]]:
        """Return the answers, now that the jobs to be stored are."""
        return [
            [Stored(job=stored[each]) if isinstance(each, UUID) else each for each in unit]
            for unit in self._answers
        ]

    def _judge(self, unit: Sequence[NewJob], held: Mapping[Name, Held], found: Set[UUID]) -> None:
        verdicts = _together(unit, [_verdict(new, held) for new in unit])
        if any(isinstance(verdict, Conflict) for verdict in verdicts):
            self._answers.append([_refusal(verdict) for verdict in verdicts])
            return
        if lost := _without_predecessor(unit, verdicts, found):
            self._answers.append([lost.get(new.job.id, Withheld()) for new in unit])
            return
        answers: list[AddAnswer | UUID] = []
        for new, verdict in zip(unit, verdicts, strict=True):
            if isinstance(verdict, Replay):
                answers.append(Replayed(job=self._holding[verdict.job_id]))
            else:
                self._make(new, held)
                answers.append(new.job.id)
        self._answers.append(answers)

    def _make(self, new: NewJob, held: Mapping[Name, Held]) -> None:
        self.made.append(new.job)
        for claim in new.keys:
            row = (claim.scope, claim.key, new.job.id, claim.fingerprint, claim.hold)
            holder = held.get((claim.scope, claim.key))
            if holder is None:
                self.free.append(row)
            elif holder.holder != new.job.id:
                self.over.append((*row, holder.holder))


def _together(unit: Sequence[NewJob], verdicts: Sequence[KeyVerdict]) -> Sequence[KeyVerdict]:
    """Let a replay among new jobs conflict where they belong together."""
    replays = [isinstance(verdict, Replay) for verdict in verdicts]
    if not any(replays) or all(replays) or not is_bound(unit):
        return verdicts
    return [
        Conflict(job_id=verdict.job_id, key=new.keys[0].key) if isinstance(verdict, Replay) else verdict
        for new, verdict in zip(unit, verdicts, strict=True)
    ]


def _without_predecessor(
    unit: Sequence[NewJob], verdicts: Sequence[KeyVerdict], found: Set[UUID]
) -> Mapping[UUID, AddAnswer]:
    there = found | {new.job.id for new in unit}
    return {
        new.job.id: WithoutPredecessor(job_id=new.job.follows)
        for new, verdict in zip(unit, verdicts, strict=True)
        if isinstance(verdict, New) and new.job.follows is not None and new.job.follows not in there
    }


def _verdict(new: NewJob, held: Mapping[Name, Held]) -> KeyVerdict:
    """The worst of its keys decides: a conflict, then a replay."""
    verdicts = [_judged(claim, new.job.id, held.get((claim.scope, claim.key))) for claim in new.keys]
    rank = (New, Replay, Conflict)
    return max(verdicts, key=lambda verdict: rank.index(type(verdict)), default=New())


def _judged(claim: KeyClaim, job_id: UUID, held: Held | None) -> KeyVerdict:
    if held is None or held.free:
        return New()
    return judge(claim, job_id, holder=held.holder, fingerprint=held.fingerprint)


def _refusal(verdict: KeyVerdict) -> AddAnswer:
    if isinstance(verdict, Conflict):
        return Conflicting(key=verdict.key, job_id=verdict.job_id)
    return Withheld()
