"""Taking in a stream of lines: cut, made into jobs, stored in units, several of these under way at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Final, Protocol

from attrs import define, field, frozen

from jobmill.application.lines import CHUNK_BYTES, Line, LineCutter
from jobmill.application.patient_storing import Stopped, StoredUnit
from jobmill.application.pauses import Pauses
from jobmill.application.ports.job_repository import NewJob
from jobmill.application.submitter import BATCH_MAX
from jobmill.domain.errors import Fault, InvalidInput

#: Lines of a unit, less where they are long: so much text, and what is made of it, is held for each.
UNIT_BYTES_MAX: Final = 1024 * 1024
#: Units that are being stored; the next one is made meanwhile.
UNITS_MAX: Final = 3
#: How long what is under way may take once nothing more is begun.
END_WITHIN_S: Final = 10.0


@frozen(kw_only=True)
class RejectedLine:
    """A line that becomes no job, with all that is wrong; the places are places in the line."""

    line: Line
    faults: Sequence[Fault]


@define(kw_only=True)
class Tally:
    """How far it has come.

    Args:
        read_bytes: of the stream, so far.
        lines: that were read; a blank one is none.
        accepted: of which jobs are stored now, or would be.
        already_there: of which jobs were stored before.
    """

    read_bytes: int = 0
    lines: int = 0
    accepted: int = 0
    already_there: int = 0
    rejected: int = 0


class Drafting(Protocol):
    """Makes a job of a line; raises ``InvalidInput``."""

    def draft(self, line: Line) -> NewJob: ...


class Storing(Protocol):
    """Stores a unit of jobs, as ``PatientStoring`` does."""

    async def store(self, unit: Sequence[NewJob]) -> StoredUnit: ...


@define(kw_only=True, eq=False)
class LineIntake:
    """Takes in one stream.

    Args:
        storing: None to check the lines and store nothing.
        reject: takes each line that becomes no job.
        progress: called whenever the tally has changed by a unit.
        stop: set as soon as no unit is to wait any more, so that all that are under way end soon.
        unit_max: lines of a unit, 1 to 1,000.
    """

    drafting: Drafting
    storing: Storing | None
    reject: Callable[[RejectedLine], None]
    progress: Callable[[], None]
    stop: asyncio.Event
    unit_max: int = BATCH_MAX
    tally: Tally = field(factory=Tally, init=False)
    _under_way: set["asyncio.Task[None]"] = field(factory=set, init=False)
    _failed: list[BaseException] = field(factory=list, init=False)

    async def run(self, chunks: AsyncIterator[bytes]) -> None:
        """Take in all that comes; what was begun is ended, and counted, however this ends.

        Args:
            chunks: of ``CHUNK_BYTES``; a shorter one says that there is no more for now.

        Raises:
            Unavailable: or whatever else a unit met first; no more is begun after it.
        """
        cutter, pending = LineCutter(), _Pending(lines_max=self.unit_max)
        try:
            async for chunk in chunks:
                self.tally.read_bytes += len(chunk)
                for unit in pending.grown(cutter.cut(chunk), is_all=len(chunk) < CHUNK_BYTES):
                    await self._take(unit)
            for unit in pending.grown(cutter.last(), is_all=True):
                await self._take(unit)
            await self._fewer_than(1)
        finally:
            self.stop.set()
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=END_WITHIN_S)

    async def _take(self, lines: Sequence[Line]) -> None:
        """Make jobs of a unit's lines and begin to store them, when there is room for one more unit."""
        pauses, made = Pauses(), []
        for line in lines:
            try:
                made.append((line, self.drafting.draft(line)))
            except InvalidInput as error:
                self._reject(line, error.faults)
            await pauses.after(len(line.raw))
        self.tally.lines += len(lines)
        if self.storing is None:
            self.tally.accepted += len(made)
        elif made:
            await self._fewer_than(UNITS_MAX)
            task = asyncio.create_task(self._store(self.storing, made))
            self._under_way.add(task)
            task.add_done_callback(self._has_ended)
        self.progress()

    async def _store(self, storing: Storing, made: Sequence[tuple[Line, NewJob]]) -> None:
        try:
            stored = await storing.store([new for _, new in made])
        except Stopped:
            return
        self.tally.accepted += stored.accepted
        self.tally.already_there += stored.already_there
        if stored.refused:
            lines = {new.job.id: line for line, new in made}
            for new, reason in stored.refused:
                self._reject(lines[new.job.id], [Fault(pointer="", detail=reason)])

    def _has_ended(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed.append(error)

    async def _fewer_than(self, units: int) -> None:
        """Wait until fewer units are under way; raises what one of them met."""
        while len(self._under_way) >= units and not self._failed:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        if self._failed:
            raise self._failed[0]

    def _reject(self, line: Line, faults: Sequence[Fault]) -> None:
        self.tally.rejected += 1
        self.reject(RejectedLine(line=line, faults=faults))


@define(kw_only=True)
class _Pending:
    """Lines that were read, until they make a unit."""

    lines_max: int
    _lines: list[Line] = field(factory=list, init=False)
    _bytes: int = field(default=0, init=False)

    def grown(self, lines: Sequence[Line], *, is_all: bool) -> Iterator[Sequence[Line]]:
        """Yield the units that are whole with these lines, and where that is all for now, the rest."""
        for line in lines:
            self._lines.append(line)
            self._bytes += len(line.raw)
            if len(self._lines) >= self.lines_max or self._bytes >= UNIT_BYTES_MAX:
                yield self._taken()
        if is_all and self._lines:
            yield self._taken()

    def _taken(self) -> Sequence[Line]:
        taken, self._lines, self._bytes = self._lines, [], 0
        return taken
