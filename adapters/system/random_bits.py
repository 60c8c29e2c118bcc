"""Random bits from the operating system, fetched many at a time: asking costs more than what is asked for."""

import os
import threading
from typing import Final

_FETCHED_BYTES: Final = 4_096


class RandomBits:
    """Hands out each fetched bit once; safe to share between threads, and a forked child fetches its own."""

    def __init__(self) -> None:
        self._bytes: bytes = b""
        self._at: int = 0
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._forget)

    def draw(self, count: int) -> int:
        """Return an integer of ``count`` uniform bits, 1 to 128."""
        size = (count + 7) // 8
        with self._lock:
            if self._at + size > len(self._bytes):
                self._bytes, self._at = os.urandom(_FETCHED_BYTES), 0
            drawn = self._bytes[self._at : self._at + size]
            self._at += size
        return int.from_bytes(drawn, "little") >> (size * 8 - count)

    def _forget(self) -> None:
        self._lock = threading.Lock()  # the old one may have been held by a thread that a child does not have
        self._bytes, self._at = b"", 0


#: Of this process: one for all, so that the hook for forked children is set once.
random_bits: Final = RandomBits()
