"""Taking in a stream: units of bounded size, few of them at once, every line accounted for."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from attrs import define, field

from jobmill.application.errors import StorageUnavailable
from jobmill.application.line_intake import UNIT_BYTES_MAX, UNITS_MAX, LineIntake, RejectedLine
from jobmill.application.lines import CHUNK_BYTES, Line
from jobmill.application.patient_storing import Stopped, StoredUnit
from jobmill.application.ports.job_repository import NewJob
from jobmill.domain.errors import Fault, InvalidInput

from tests.builders import a_job


class Drafting:
    def draft(self, line: Line) -> NewJob:
        if line.raw.startswith(b"bad"):
            raise InvalidInput(Fault(pointer="/x", detail="is bad"))
        return NewJob(job=a_job(payload=line.raw.decode()))


@define
class Storing:
    """Stores units once the gate is open."""

    gate: asyncio.Event = field(factory=asyncio.Event)
    stop: asyncio.Event = field(factory=asyncio.Event)
    has_some: asyncio.Event = field(factory=asyncio.Event)
    sizes: list[int] = field(factory=list)
    payloads: list[str] = field(factory=list)
    error: Exception | None = None
    at_once: int = 0
    most: int = 0

    async def store(self, unit: Sequence[NewJob]) -> StoredUnit:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        self.sizes.append(len(unit))
        waits = [asyncio.create_task(each.wait()) for each in (self.gate, self.stop)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        self.at_once -= 1
        if self.error is not None:
            raise self.error
        if not self.gate.is_set():
            raise Stopped
        stored = StoredUnit()
        for new in unit:
            if new.job.payload == "poison":
                stored.refused.append((new, "the database refuses a value"))
            elif new.job.payload == "old":
                stored.already_there += 1
            else:
                stored.accepted += 1
                self.payloads.append(new.job.payload)
                self.has_some.set()
        return stored


@define
class Bed:
    storing: Storing = field(factory=Storing)
    rejected: list[RejectedLine] = field(factory=list)
    shown: int = 0
    unit_max: int = 1_000
    is_dry: bool = False
    intake: LineIntake = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.intake = LineIntake(
            drafting=Drafting(),
            storing=None if self.is_dry else self.storing,
            reject=self.rejected.append,
            progress=self._show,
            stop=self.storing.stop,
            unit_max=self.unit_max,
        )

    def _show(self) -> None:
        self.shown += 1


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def in_chunks(text: bytes) -> AsyncIterator[bytes]:
    return stream(*(text[at : at + CHUNK_BYTES] for at in range(0, len(text), CHUNK_BYTES)))


def opened() -> Bed:
    bed = Bed()
    bed.storing.gate.set()
    return bed


async def test_every_line_is_stored_and_counted() -> None:
    bed = opened()
    text = b"".join(b"%d %s\n" % (number, b"x" * 100) for number in range(5_500))

    await bed.intake.run(in_chunks(text))

    tally = bed.intake.tally
    assert (tally.lines, tally.accepted, tally.rejected, tally.read_bytes) == (5_500, 5_500, 0, len(text))
    assert len(set(bed.storing.payloads)) == 5_500
    assert bed.storing.sizes == [1_000] * 5 + [500]
    assert bed.shown == 6


async def test_bad_lines_are_taken_out_and_the_others_of_their_unit_go_on() -> None:
    bed = opened()

    await bed.intake.run(stream(b"a\nbad 1\nold\n\npoison\nb"))

    tally = bed.intake.tally
    assert (tally.lines, tally.accepted, tally.already_there, tally.rejected) == (5, 2, 1, 2)
    assert [(each.line.number, each.faults[0].pointer) for each in bed.rejected] == [(2, "/x"), (5, "")]
    assert bed.rejected[1].faults[0].detail == "the database refuses a value"
    assert bed.storing.sizes == [3, 1]


async def test_where_all_lines_are_bad_nothing_is_stored() -> None:
    bed = opened()

    await bed.intake.run(stream(b"bad\n" * 3))

    assert (bed.intake.tally.rejected, bed.storing.sizes, bed.shown) == (3, [], 1)


async def test_long_lines_make_small_units() -> None:
    bed = opened()
    line = b"x" * (UNIT_BYTES_MAX // 10) + b"\n"

    await bed.intake.run(in_chunks(line * 35))

    assert max(bed.storing.sizes) <= 11
    assert sum(bed.storing.sizes) == 35


async def test_what_trickles_in_is_not_kept_waiting() -> None:
    bed = opened()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"a\n"
        await bed.storing.has_some.wait()
        yield b"b\n"

    await bed.intake.run(slowly())

    assert bed.storing.sizes == [1, 1]


async def test_no_more_units_are_under_way_than_may_be() -> None:
    bed = Bed(unit_max=1)
    running = asyncio.create_task(bed.intake.run(stream(b"a\n" * 20)))
    await asyncio.sleep(1)
    assert bed.storing.at_once == UNITS_MAX

    bed.storing.gate.set()
    await running

    assert (bed.storing.most, bed.intake.tally.accepted) == (UNITS_MAX, 20)


@pytest.mark.parametrize("error", [StorageUnavailable("away"), RuntimeError("a fault of ours")])
async def test_after_trouble_nothing_more_is_begun_and_it_is_told(error: Exception) -> None:
    bed = opened()
    bed.unit_max = bed.intake.unit_max = 1
    bed.storing.error = error

    with pytest.raises(type(error)):
        await bed.intake.run(stream(b"a\n" * 100))

    assert len(bed.storing.sizes) <= UNITS_MAX
    assert bed.intake.tally.accepted == 0


async def test_trouble_of_the_last_unit_is_told_too() -> None:
    bed = Bed()
    bed.storing.error = StorageUnavailable("away")
    running = asyncio.create_task(bed.intake.run(stream(b"a\n")))
    await asyncio.sleep(1)

    bed.storing.gate.set()

    with pytest.raises(StorageUnavailable):
        await running


async def test_what_is_under_way_ends_and_is_counted_when_all_is_cancelled() -> None:
    bed = Bed()

    async def endless() -> AsyncIterator[bytes]:
        yield b"a\nb\n"
        await asyncio.Event().wait()

    running = asyncio.create_task(bed.intake.run(endless()))
    await asyncio.sleep(1)
    asyncio.get_running_loop().call_later(0.5, bed.storing.gate.set)
    bed.intake.stop = asyncio.Event()  # the units do not hear of it, as one that the database has

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert bed.intake.tally.accepted == 2
    assert bed.intake.stop.is_set()


async def test_whoever_waits_for_room_stops_at_once_when_all_is_cancelled() -> None:
    bed = Bed()
    running = asyncio.create_task(bed.intake.run(stream(b"a\n")))
    await asyncio.sleep(1)

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert (bed.intake.tally.lines, bed.intake.tally.accepted) == (1, 0)


async def test_a_dry_run_stores_nothing() -> None:
    bed = Bed(is_dry=True)

    await bed.intake.run(stream(b"a\nbad\nb\n"))

    assert (bed.intake.tally.accepted, bed.intake.tally.rejected, bed.storing.sizes) == (2, 1, [])
