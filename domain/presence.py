"""Knowing that a process is dead: its lock was found free twice, with time in between."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Self

from attrs import evolve, field, frozen

from jobmill.domain.errors import Fault, InvalidInput

#: Between the name of a process and the key of the lock that it held when it took that name.
_MARK: Final = "#"
_KEY_DIGITS: Final = 8


@frozen(kw_only=True)
class PresencePolicy:
    """How the presence of processes is watched.

    Args:
        look_every: time between two looks at the locks.
        gone_after: time between two looks that must both find a lock free before its process counts as dead.
        margin: how much earlier than anybody can be sure of its death a process stops believing.
    """

    look_every: timedelta = timedelta(seconds=0.5)
    gone_after: timedelta = timedelta(seconds=2)
    margin: timedelta = timedelta(seconds=0.25)

    def __attrs_post_init__(self) -> None:
        """Refuse times that do not fit each other."""
        if self.margin <= timedelta(0):
            raise InvalidInput(Fault(pointer="/margin", detail="must be above 0"))
        if not timedelta(0) < self.look_every <= (self.gone_after - self.margin) / 2:
            detail = "must be above 0 and at most half of what a process may be silent"
            raise InvalidInput(Fault(pointer="/look_every", detail=detail))

    def belief_ends(self, sent_s: float) -> float:
        """Return when a process stops believing that nobody can have found its lock free twice.

        Args:
            sent_s: the monotonic time just *before* it asked whether it holds the lock; it did at some later
                moment, so the first look that finds the lock free comes after this.
        """
        return sent_s + (self.gone_after - self.margin).total_seconds()


@frozen(kw_only=True)
class Incarnation:
    """One process while it holds one lock. Neither the key nor the name is used again once it was lost.

    Args:
        process: the name of the process.
        key: of its lock, 32 bits.
    """

    process: str
    key: int

    @property
    def name(self) -> str:
        """The name on the jobs it runs. It proves that the lock was held, since it is taken with it."""
        return f"{self.process}{_MARK}{self.key:0{_KEY_DIGITS}x}"


def key_of(worker: str) -> int | None:
    """Return the key of the lock that a worker held by this name; None for one that never had any."""
    _, mark, digits = worker.rpartition(_MARK)
    if not mark or len(digits) != _KEY_DIGITS:
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return None


@frozen(kw_only=True)
class Roll:
    """What one session saw of all locks, look by look.

    Times are monotonic, in seconds. A look sees the locks at some moment between its question and its answer.

    Args:
        held: the locks that the last look saw.
        asked_s: when the last look was asked.
        since_s: when the first look was answered.
        free_since_s: for locks that an earlier look saw and the next did not: when that one was answered.
    """

    held: frozenset[int]
    asked_s: float
    since_s: float
    free_since_s: Mapping[int, float] = field(factory=dict)

    @classmethod
    def first(cls, held: frozenset[int], *, asked_s: float, answered_s: float) -> Self:
        """Begin with a look."""
        return cls(held=held, asked_s=asked_s, since_s=answered_s)

    def then(
        self, held: frozenset[int], *, asked_s: float, answered_s: float, policy: PresencePolicy
    ) -> Self:
        """Add a look. What is gone for good needs no note of its own: it has been free long enough."""
        noted = {key: free_s for key, free_s in self.free_since_s.items() if not self.is_gone(key, policy)}
        noted |= dict.fromkeys(self.held - held, answered_s)
        still_free = {key: free_s for key, free_s in noted.items() if key not in held}
        return evolve(self, held=held, asked_s=asked_s, free_since_s=still_free)

    def is_gone(self, key: int, policy: PresencePolicy) -> bool:
        """Say whether all looks for long enough, the last among them, found the lock free."""
        free_since_s = self.free_since_s.get(key, self.since_s)
        return key not in self.held and self.asked_s - free_since_s >= policy.gone_after.total_seconds()

    def newly_gone(self, policy: PresencePolicy) -> frozenset[int]:
        """Return the locks whose holders this very look proves to be dead, of those that were ever seen."""
        return frozenset(key for key in self.free_since_s if self.is_gone(key, policy))
