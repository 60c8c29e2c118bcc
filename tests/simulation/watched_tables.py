"""The tables with a witness: each write is held against the laws at the moment it is made."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import define, field

from jobmill.adapters.memory.tables import OutboxRow, RoleRow, Tables
from jobmill.domain.job import Job
from jobmill.domain.states import Fact, Guard, JobState, Target
from jobmill.domain.transition import Fence, Transition

from tests.ledger import Ledger
from tests.nodes import NODE
from tests.simulation.process import Process
from tests.simulation.witness import Witness

#: What an operator alone may do.
_GIVEN_BACK = frozenset({Fact.POSTPONED, Fact.HANDED_BACK})
_BY_HAND = frozenset({Fact.REQUEUED, Fact.DISCARDED})


class WatchedRows(Ledger):
    """The jobs. A new version has to be explained at once by the transition that made it."""

    def __init__(self, now: Callable[[], Any], witness: Witness) -> None:
        super().__init__(now)
        self._witness = witness
        self.unexplained: tuple[Job, Job] | None = None

    def __setitem__(self, job_id: UUID, job: Job) -> None:
        self.nothing_is_unexplained()
        row = self.get(job_id)
        before = len(self.broken)
        super().__setitem__(job_id, job)
        for breach in self.broken[before:]:
            self._witness.law(2, False, breach, self._witness.name(job_id))
        if row is not None and row.version != job.version:
            self.unexplained = (row, job)

    def nothing_is_unexplained(self) -> None:
        if self.unexplained is not None:
            _, job = self.unexplained
            about = (self._witness.name(job.id), "version", job.version)
            self._witness.law(11, False, "a new version that no save made", *about)
            self.unexplained = None


class _Outbox(dict[int, OutboxRow]):
    """Rows leave only once the broker has the notice, or when their version is over."""

    def __init__(self, leaves: Callable[[int, OutboxRow], None]) -> None:
        super().__init__()
        self._leaves = leaves

    def pop(self, row: int, default: Any = None) -> Any:  # noqa: ANN401 - as a dict has it  # type: ignore[override]
        if row in self:
            self._leaves(row, self[row])
        return super().pop(row, default)

    def __delitem__(self, row: int) -> None:
        self._leaves(row, self[row])
        super().__delitem__(row)


class _Roles(dict[str, RoleRow]):
    """Who leads."""

    def __init__(self, changed: Callable[[str, str], None]) -> None:
        super().__init__()
        self._changed = changed
        self._last: dict[str, str] = {}

    def __setitem__(self, role: str, row: RoleRow) -> None:
        if self._last.get(role) != row.holder:
            self._changed(self._last.get(role, "nobody"), row.holder)
        self._last[role] = row.holder
        super().__setitem__(role, row)


@define(kw_only=True)
class WatchedTables(Tables):
    """A database of the simulation.

    Args:
        believed: the processes that believe in a lease on a version.
        at_work: a handler runs for a version.
        taken: how often the broker has taken a notice of a version.
    """

    witness: Witness
    now: Callable[[], Any]
    believed: Callable[[Fence], list[str]] = field(default=lambda _fence: [])
    at_work: Callable[[Fence], bool] = field(default=lambda _fence: False)
    taken: Callable[[Fence], int] = field(default=lambda _fence: 0)
    _taken_before: dict[int, int] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self.jobs = WatchedRows(self.now, self.witness)
        self.outbox = _Outbox(self._row_leaves)
        self.roles = _Roles(self._leader_changes)

    @property
    def rows(self) -> WatchedRows:
        """The jobs, as what they are here."""
        assert isinstance(self.jobs, WatchedRows)
        return self.jobs

    def announce(self, row: int, job: Job, target: Target, *, now: datetime) -> None:
        """Remember how often the broker had this notice before."""
        self._taken_before.setdefault(row, self.taken(job.fence))
        Tables.announce(self, row, job, target, now=now)

    def record(self, transition: Transition, *, keep: int) -> None:
        """Judge the save that has just been written."""
        explained, self.rows.unexplained = self.rows.unexplained, None
        law, move = self.witness.law, transition
        name, fact = self.witness.name(move.job.id), move.fact.value
        law(3, explained is not None, "a save that made no version", name, fact)
        if explained is not None:
            row, job = explained
            law(3, move.before.fence == row.fence, "saved over a version it had not seen", name, fact)
            law(3, move.job.fence == job.fence, "saved another version than it made", name, fact)
            self._judge_loose_columns(row, job, move)
            self._judge_holder(row, move)
            queued = move.fact is not Fact.RELEASED or job.state is JobState.QUEUED
            law(6, queued, "released, and not to its queue", name)
            law(2, move.fact not in _BY_HAND or job.id in self.witness.asked, "nobody asked", name, fact)
            self._tell(row, job, move)
        Tables.record(self, transition, keep=keep)

    def _judge_loose_columns(self, row: Job, job: Job, move: Transition) -> None:
        name = self.witness.name(job.id)
        kept = job.stop_asked == row.stop_asked or (move.fact is Fact.REQUEUED and not job.stop_asked)
        self.witness.law(11, kept, "a save changed the stop request", name, move.fact.value)
        leased = (job.lease_until is not None) == (job.state is JobState.PROCESSING)
        self.witness.law(11, leased, "a lease without a run, or a run without one", name, move.fact.value)
        if row.stop_asked and row.state is JobState.PROCESSING and move.guard is Guard.LAPSED:
            self.witness.trace.saw("seen: lapsed after a stop request")

    def _judge_holder(self, row: Job, move: Transition) -> None:
        """A running job is moved by the worker that holds it, or by anybody once its lease is over."""
        if row.state is not JobState.PROCESSING:
            return
        name, process = self.witness.name(row.id), NODE.get()
        mine = isinstance(process, Process) and process.is_called(row.worker)
        lapsed, orphaned = move.guard is Guard.LAPSED, move.guard is Guard.ORPHANED
        if move.fact in _GIVEN_BACK and mine and row.attempt > move.job.attempt:
            ended = not self.at_work(row.fence)
            self.witness.law(5, ended, "given back while its handler runs", name, move.fact.value)
        self.witness.law(3, mine or lapsed or orphaned, "taken from its holder", name, move.fact.value)
        if orphaned:
            self.witness.trace.saw("seen: orphaned")
            holders = self.believed(row.fence)
            self.witness.law(5, not holders, "taken for dead while its holder believes in it", name, *holders)
        if lapsed:
            over = row.lease_until is not None and row.lease_until < self.now()
            self.witness.law(5, over, "lapsed before its lease was over", name)
            holders = self.believed(row.fence) if self.witness.clock_is_settled else []
            self.witness.law(5, not holders, "lapsed while its holder believes in it", name, *holders)

    def _row_leaves(self, row: int, kept: OutboxRow) -> None:
        self.rows.nothing_is_unexplained()
        fence = kept.fence
        told = self.standing(fence) is None or self.taken(fence) > self._taken_before.get(row, 0)
        about = (self.witness.name(fence.job_id), "version", fence.version)
        self.witness.law(8, told, "an outbox row left without a confirm", *about)

    def _leader_changes(self, before: str, now: str) -> None:
        self.witness.trace.saw("seen: leader changed")
        self.witness.trace.tell(now, "leads, after", before)

    def _tell(self, row: Job, job: Job, move: Transition) -> None:
        process = NODE.get()
        self.witness.trace.tell(
            "nobody" if process is None else process.name,
            self.witness.name(job.id),
            f"{row.state.value} → {job.state.value} ({move.fact.value})",
            f"version {job.version}, attempt {job.attempt}",
            job.error or "",
        )
