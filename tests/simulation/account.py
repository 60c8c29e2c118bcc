"""The account of a run: what was accepted, and what became of it, every id once."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Self
from uuid import UUID

from attrs import frozen

from jobmill.domain.job import Job
from jobmill.domain.states import TERMINAL


@frozen(kw_only=True)
class Account:
    """Accepted jobs by where they ended; the rest is open, or lost."""

    accepted: int
    ended: Mapping[str, int]
    open: int
    lost: int

    @classmethod
    def of(cls, accepted: Collection[UUID], rows: Mapping[UUID, Job]) -> Self:
        """Go through the accepted ids, once each."""
        found = [rows[job_id] for job_id in set(accepted) if job_id in rows]
        ended = Counter(job.state.value for job in found if job.state in TERMINAL)
        return cls(
            accepted=len(set(accepted)),
            ended=dict(ended),
            open=len(found) - ended.total(),
            lost=len(set(accepted)) - len(found),
        )

    @property
    def adds_up(self) -> bool:
        """Accepted is succeeded, failed, expired, cancelled and discarded; nothing is open or lost."""
        return self.accepted == sum(self.ended.values()) and not self.open and not self.lost

    def __str__(self) -> str:
        ended = " + ".join(f"{count} {state}" for state, count in sorted(self.ended.items()))
        return f"{self.accepted} accepted = {ended or '0'} + {self.open} open + {self.lost} lost"
