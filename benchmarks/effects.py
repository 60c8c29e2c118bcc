"""What jobs did: numbers in memory that all processes of a run share, so that effects count and not words."""

import mmap
import os
from array import array
from pathlib import Path
from time import monotonic_ns
from typing import Final

#: Where a process of a run finds the memory.
VARIABLE: Final = "JOBMILL_BENCH_EFFECTS"
_WIDTH: Final = 8
_COLUMNS: Final = 4
_SUBMITTED, _STARTED, _RUNS, _ENDED = range(_COLUMNS)
#: Jobs that are looked at before all are.
_STRIDE: Final = 97
#: Jobs that begin before the others, since they were submitted first.
_FIRST: Final = 2_000


class Effects:
    """Four numbers for each job: submitted, started, ended (nanoseconds of the monotonic clock) and runs."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._cells = memoryview(self._memory).cast("q")
        self.jobs: Final = len(self._cells) // _COLUMNS

    @classmethod
    def make(cls, path: Path, jobs: int) -> "Effects":
        """Make a file of zeros for ``jobs`` jobs, numbered from 0."""
        with path.open("wb") as file:
            file.truncate(jobs * _WIDTH * _COLUMNS)
        return cls(path)

    @classmethod
    def of_this_run(cls) -> "Effects":
        """Open what the environment names."""
        return cls(Path(os.environ[VARIABLE]))

    def submit(self, number: int) -> None:
        """Note that the call that submits this job begins."""
        self._cells[_SUBMITTED * self.jobs + number] = monotonic_ns()

    def run(self, number: int) -> None:
        """Note a run that ends as soon as it starts."""
        self.begin(number)
        self._cells[_ENDED * self.jobs + number] = self._cells[_STARTED * self.jobs + number]

    def begin(self, number: int) -> None:
        self._cells[_RUNS * self.jobs + number] += 1
        self._cells[_STARTED * self.jobs + number] = monotonic_ns()

    def end(self, number: int) -> None:
        self._cells[_ENDED * self.jobs + number] = monotonic_ns()

    def submitted_ns(self) -> "array[int]":
        return self._column(_SUBMITTED)

    def started_ns(self) -> "array[int]":
        return self._column(_STARTED)

    def runs(self) -> "array[int]":
        return self._column(_RUNS)

    def ended_ns(self) -> "array[int]":
        return self._column(_ENDED)

    def some_began(self) -> bool:
        """Whether any has begun of a sample, or of the first few thousand."""
        start = _STARTED * self.jobs
        sample = self._cells[start : start + self.jobs : _STRIDE].tolist()
        return any(sample) or any(self._cells[start : start + min(self.jobs, _FIRST)].tolist())

    def have_ended(self, wanted: int) -> bool:
        """Whether ``wanted`` jobs have ended; all are looked at only when a sample says it may be so."""
        start = _ENDED * self.jobs
        sample = self._cells[start : start + self.jobs : _STRIDE].tolist()
        if (len(sample) - sample.count(0) + 1) * _STRIDE < wanted:
            return False
        return self.jobs - self._column(_ENDED).count(0) >= wanted

    def close(self) -> None:
        self._cells.release()
        self._memory.close()

    def _column(self, which: int) -> "array[int]":
        column = array("q")
        column.frombytes(self._cells[which * self.jobs : (which + 1) * self.jobs].tobytes())
        return column
