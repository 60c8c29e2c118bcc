"""What the clients know: every job that was accepted, and how it may end."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from attrs import define, field

from tests.chaos.mix import ENDS, Order


@define(kw_only=True)
class Book:
    """Kept by the clients alone, from the answers they read, and compared with the database at the end."""

    kind_of: dict[UUID, str] = field(factory=dict, init=False)
    #: What an operator did to single jobs changes how these may end.
    ends_of: dict[UUID, frozenset[str]] = field(factory=dict, init=False)
    #: Requests by what became of them; a repeated one counts each time.
    answers: Counter[str] = field(factory=Counter, init=False)
    #: Answers that no fault excuses.
    wrongs: list[str] = field(factory=list, init=False)
    operations: Counter[str] = field(factory=Counter, init=False)

    @property
    def accepted(self) -> int:
        """Jobs whose acceptance was read."""
        return len(self.kind_of)

    def accept(self, orders: Sequence[Order], ids: Sequence[UUID]) -> None:
        """Note an answer that was read; two orders never share a job."""
        for order, job_id in zip(orders, ids, strict=True):
            if job_id in self.kind_of:
                self.wrongs.append(f"{job_id} was given to two submissions")
            self.kind_of[job_id] = order.kind

    def ends(self, job_id: UUID) -> frozenset[str]:
        """The states in which this job may end."""
        return self.ends_of.get(job_id) or ENDS[self.kind_of[job_id]]

    def may_end(self, job_id: UUID, *states: str) -> None:
        """Somebody tried to end the job and it is not known whether that came through."""
        self.ends_of[job_id] = self.ends(job_id) | set(states)

    def must_end(self, job_id: UUID, state: str) -> None:
        """Somebody ended the job, and was told so."""
        self.ends_of[job_id] = frozenset({state})
