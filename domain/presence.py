"""Knowing that a process is dead: its lock was found free twice, with time in between."""

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Self

from attrs import field, frozen

from jobmill.domain.errors import Fault, InvalidInput

#: Between the name of a process and the key of the lock that it held when it took that name.
_MARK: Final = "#"
_KEY_DIGITS: Final = 8
#: Locks of the dead that are remembered; one that is forgotten is proven again when it is asked for.
NOTED_MAX: Final = 10_000
NONE: Final[frozenset[int]] = frozenset()


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
        name: stands on the jobs it runs. It proves that the lock was held, since it is taken with it.
    """

    process: str
    key: int
    name: str = field(init=False)

    @name.default
    def _named(self) -> str:
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
    A lock is spoken of only if it was certainly held once: an earlier look saw it, or it was suspected, which
    says that its holder did something under its name. One that nobody had heard of proves nothing by being
    free: it may be taken between two looks, and its holder be at work before the next.

    Args:
        held: the locks that the last look saw.
        asked_s: when the last look was asked.
        asked_before_s: when the one before was.
        free_since_s: for locks that were held and are not: when the first look that saw that was answered.
    """

    held: frozenset[int]
    asked_s: float
    asked_before_s: float = -math.inf
    free_since_s: Mapping[int, float] = field(factory=dict)

    @classmethod
    def first(
        cls, held: frozenset[int], *, asked_s: float, answered_s: float, suspects: frozenset[int] = NONE
    ) -> Self:
        """Begin with a look; ``suspects`` as in ``then``."""
        return cls(held=held, asked_s=asked_s, free_since_s=dict.fromkeys(suspects - held, answered_s))

    def then(
        self, held: frozenset[int], *, asked_s: float, answered_s: float, suspects: frozenset[int] = NONE
    ) -> Self:
        """Add a look.

        Args:
            suspects: locks whose holders had already done something under their names when it was asked.
        """
        fresh = dict.fromkeys((self.held | suspects) - held - self.free_since_s.keys(), answered_s)
        noted = [
            (key, free_s) for key, free_s in (*self.free_since_s.items(), *fresh.items()) if key not in held
        ]
        return type(self)(
            held=held,
            asked_s=asked_s,
            asked_before_s=self.asked_s,
            free_since_s=dict(noted[-NOTED_MAX:]),
        )

    def is_known(self, key: int) -> bool:
        """Say whether the lock is spoken of here."""
        return key in self.held or key in self.free_since_s

    def is_gone(self, key: int, policy: PresencePolicy) -> bool:
        """Say whether all looks for long enough, the last among them, found the lock free."""
        free_s = self.free_since_s.get(key, math.inf)
        return self.asked_s - free_s >= policy.gone_after.total_seconds()

    def newly_gone(self, policy: PresencePolicy) -> frozenset[int]:
        """Return the locks whose holders this very look proves to be dead."""
        long_s = policy.gone_after.total_seconds()
        return frozenset(
            key
            for key, free_s in self.free_since_s.items()
            if self.asked_s - free_s >= long_s > self.asked_before_s - free_s
        )
