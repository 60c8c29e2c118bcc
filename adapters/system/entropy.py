"""Real chance, and ids that sort by the time of their making."""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from attrs import define, field

from jobmill.adapters.system.random_bits import random_bits
from jobmill.application.ports.clock import Entropy

_VERSION_7: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62
#: Version and variant leave 74 bits behind the 48 of the milliseconds.
_TAIL_BITS: Final = 74
_LOW_BITS: Final = 62
_LOW_MASK: Final = (1 << _LOW_BITS) - 1
#: The step from one id to the next within a millisecond, so that nobody guesses an id from its neighbour.
_STEP_BITS: Final = 32

_chance: Final = secrets.SystemRandom()


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


@define
class SystemEntropy(Entropy):
    """Chance from the operating system; safe to share between threads.

    Ids are UUIDs of version 7 by RFC 9562: milliseconds, then 74 random bits. Within a millisecond, and while
    the wall clock stands behind one already used, the random part counts up by random steps (the RFC's
    method 2), so a later id always sorts later.
    """

    _milliseconds: Callable[[], int] = field(default=_wall_clock_ms, kw_only=True)
    _last_ms: int = field(init=False, default=-1)
    _tail: int = field(init=False, default=0)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)

    def job_id(self) -> UUID:
        """Return a new id, above every earlier one of this object."""
        with self._lock:
            now_ms = self._milliseconds()
            if now_ms > self._last_ms:
                self._begin(now_ms)
            else:
                self._tail += 1 + random_bits.draw(_STEP_BITS)
                if self._tail >> _TAIL_BITS:
                    self._begin(self._last_ms + 1)
            ms, tail = self._last_ms, self._tail
        high, low = tail >> _LOW_BITS, tail & _LOW_MASK
        return UUID(int=ms << 80 | _VERSION_7 | high << 64 | _VARIANT | low)

    def stamp(self) -> int:
        """Return 64 random bits as a signed integer."""
        return random_bits.word()

    def fraction(self) -> float:
        """Return a uniform fraction in [0, 1)."""
        return _chance.random()

    def _begin(self, ms: int) -> None:
        """Draw afresh for a millisecond; the topmost bit stays free, as room to count up."""
        self._last_ms, self._tail = ms, random_bits.draw(_TAIL_BITS - 1)
