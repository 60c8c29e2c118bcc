"""What becomes of a dead letter, by rule. What no rule knows is kept for a person."""

from enum import StrEnum

from msgspec import Struct

from odds_board.jobs import handlers

OURS = frozenset(job_type.name for job_type in handlers)
RETRIED_MAX = 2
REQUEUED = "requeued"


class Verdict(StrEnum):
    RETRY = "retry"
    DISCARD = "discard"
    KEEP = "keep"


class Entry(Struct, frozen=True, kw_only=True):
    """A line of a letter's history: an attempt that failed, or what an operator did."""

    outcome: str


class Letter(Struct, frozen=True, kw_only=True):
    """What the rules look at. A message that was never a job has no type, an id of its own and a reason."""

    id: str
    kind: str
    type: str | None = None
    error: str | None = None
    reason: str | None = None
    history: tuple[Entry, ...] = ()

    @property
    def retried(self) -> int:
        return sum(entry.outcome == REQUEUED for entry in self.history)


def verdict_on(letter: Letter) -> tuple[Verdict, str]:
    """Return what becomes of a letter, and why."""
    if letter.type not in OURS:
        return Verdict.KEEP, letter.reason or "not an update of the feed"
    if letter.kind == "expired":
        return Verdict.DISCARD, "no news any more"
    error = letter.error or ""
    if error.startswith("NoOdds"):
        if letter.retried < RETRIED_MAX:
            return Verdict.RETRY, "the odds may have come"
        return Verdict.DISCARD, f"no odds came, and it was retried {letter.retried} times"
    return Verdict.KEEP, error
