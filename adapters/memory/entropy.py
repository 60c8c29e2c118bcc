"""Chance that repeats itself."""

from random import Random
from typing import Final
from uuid import UUID

from attrs import define, field

from jobmill.adapters.memory.clocks import START
from jobmill.application.ports.clock import Entropy

_VERSION_7: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62


@define
class SeededEntropy(Entropy):
    """The same chance for the same seed, in this process and in any other.

    Each id counts as made a millisecond after the one before, so ids sort in the order of their making.
    """

    seed: int
    _random: Random = field(init=False, repr=False)
    _made: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        """Seed the generator; nothing secret hangs on it."""
        self._random = Random(self.seed)  # noqa: S311

    def job_id(self) -> UUID:
        """Return the next id."""
        self._made += 1
        milliseconds = int(START.timestamp() * 1000) + self._made
        high, low = self._random.getrandbits(12), self._random.getrandbits(62)
        return UUID(int=milliseconds << 80 | _VERSION_7 | high << 64 | _VARIANT | low)

    def stamp(self) -> int:
        """Return the next 64 bits."""
        return self._random.getrandbits(64) - 2**63

    def fraction(self) -> float:
        """Return the next fraction."""
        return self._random.random()
