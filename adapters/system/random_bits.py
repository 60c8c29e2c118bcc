"""Random bits from the operating system, fetched many at a time: asking costs more than what is asked for."""

import os
from array import array
from collections.abc import Iterator
from typing import Final

_FETCHED_BYTES: Final = 4_096
_WORD_BITS: Final = 64
_WORD_MASK: Final = (1 << _WORD_BITS) - 1


class RandomBits:
    """Hands out each fetched bit once; safe to share between threads, and a forked child fetches its own."""

    def __init__(self) -> None:
        self._words: Iterator[int] = iter(())
        os.register_at_fork(after_in_child=self._forget)

    def word(self) -> int:
        """Return 64 uniform bits as a signed integer.

        Threads may draw from the same words: ``next`` hands out each of them once.
        """
        word = next(self._words, None)
        if word is None:
            self._words = iter(array("q", os.urandom(_FETCHED_BYTES)))
            return self.word()
        return word

    def draw(self, count: int) -> int:
        """Return an integer of ``count`` uniform bits, 1 to 128."""
        drawn = self.word() & _WORD_MASK
        if count > _WORD_BITS:
            drawn |= (self.word() & _WORD_MASK) << _WORD_BITS
        return drawn & ((1 << count) - 1)

    def _forget(self) -> None:
        self._words = iter(())


#: Of this process: one for all, so that the hook for forked children is set once.
random_bits: Final = RandomBits()
