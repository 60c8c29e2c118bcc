"""The parts of a run, each a list of rounds."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from attrs import frozen

from benchmarks.bench import Bench
from benchmarks.instruments.command_line import command_line_file
from benchmarks.instruments.drain import drain
from benchmarks.instruments.embedded import embedded
from benchmarks.instruments.growth import growth
from benchmarks.instruments.http import http_batch, http_floor, http_single
from benchmarks.instruments.idle import idle
from benchmarks.instruments.latency import latency
from benchmarks.instruments.submit import submit
from benchmarks.rounds import Round
from benchmarks.samples import Sample
from benchmarks.size import Size
from benchmarks.systems.jobmill import Jobmill
from benchmarks.systems.system import System

_IO_S: Final = 0.5
#: Numbers of jobs in a call that submits several.
_BATCHES: Final = (100, 500)
#: A run of twice the workers is shorter, so it gets more jobs.
_TWO_WORKERS: Final = 1.6
#: Of the jobs that HTTP is measured with, for the requests that carry one each.
_HTTP_SINGLE_PACE: Final = 1_500
#: Slots fill together at the beginning and empty together at the end: a short run understates everybody.
_IO_TIMES: Final = 3.0
_EMBEDDED_PACE: Final = 3_000

Play = Callable[[], Awaitable[Sample | Sequence[Sample]]]


@frozen(kw_only=True)
class Part:
    """One part of a run.

    Args:
        rounds: for these contenders; empty if it is for none of them.
        is_long: it is repeated fewer times.
        is_once: it is played once, whatever the run.
    """

    rounds: Callable[[Bench, Sequence[System], Size], Sequence[Round]]
    is_long: bool = False
    is_once: bool = False

    def repetitions(self, size: Size) -> int:
        return 1 if self.is_once else size.fewer if self.is_long else size.repetitions


def _round(measure: str, system: System, case: str, play: Play) -> Round:
    return Round(measure=measure, contender=system.name, case=case, play=play)


def _submit(bench: Bench, systems: Sequence[System], size: Size) -> list[Round]:
    return [
        _round("submit", each, "single", partial(submit, bench, each, jobs=size.jobs(each.pace.single)))
        for each in systems
        if each.name != "limit"
    ]


def _file(bench: Bench, systems: Sequence[System], size: Size) -> list[Round]:
    return [
        _round("submit", each, "file", partial(command_line_file, bench, each, jobs=size.file_lines))
        for each in _jobmill(systems)
    ]


def _batches(bench: Bench, systems: Sequence[System], size: Size) -> list[Round]:
    return [
        _round(
            "submit",
            each,
            f"batches of {batch}",
            partial(submit, bench, each, jobs=size.jobs(each.pace.batch), batch=batch),
        )
        for batch in _BATCHES
        for each in systems
        if each.takes_batches
    ]


def _drain(bench: Bench, systems: Sequence[System], size: Size) -> list[Round]:
    return [
        _round("drain", each, "1 worker", partial(drain, bench, each, jobs=size.jobs(each.pace.drain)))
        for each in systems
    ]


def _drain2(bench: Bench, systems: Sequence[System], size: Size) -> list[Round]:
    return [
        _round(
            "drain",
            each,
            "2 workers",
            partial(drain, bench, each, jobs=size.jobs(each.pace.drain, share=_TWO_WORKERS), workers=2),
        )
        for each in systems
    ]


def _latency(bench: Bench, systems: Sequence[System], size: Size) -> list[Round]:
    return [
        _round("latency", each, "", partial(latency, bench, each, rates=size.rates))
        for each in systems
        if each.name != "limit"
    ]


def _io(bench: Bench, systems: Sequence[System], size: Size) -> list[Round]:
    return [
        _round(
            "io",
            each,
            "",
            partial(
                drain, bench, each, jobs=size.jobs(each.pace.io, share=_IO_TIMES), sleep_s=_IO_S, case="io"
            ),
        )
        for each in systems
        if each.name != "limit"
    ]


def _idle(bench: Bench, systems: Sequence[System], size: Size) -> list[Round]:
    return [
        _round("idle", each, "", partial(idle, bench, each, seconds=size.idle_s))
        for each in systems
        if each.name != "limit"
    ]


def _http(bench: Bench, systems: Sequence[System], size: Size) -> list[Round]:
    return [
        _round("http", each, case, partial(play, bench, each, jobs=size.jobs(pace)))
        for each in _jobmill(systems)
        for case, play, pace in (
            ("single", http_single, _HTTP_SINGLE_PACE),
            ("floor", http_floor, _HTTP_SINGLE_PACE * 2),
            ("batches of 1000", http_batch, each.pace.batch),
        )
    ]


def _growth(bench: Bench, systems: Sequence[System], size: Size) -> list[Round]:
    return [
        _round("growth", each, point.case, partial(growth, bench, each, point))
        for each in _jobmill(systems)
        for point in size.growth
    ]


def _embedded(bench: Bench, systems: Sequence[System], size: Size) -> list[Round]:
    return [
        _round(
            "embedded",
            each,
            f"by {by}",
            partial(embedded, bench, each, jobs=size.jobs(_EMBEDDED_PACE), by=by),
        )
        for each in _jobmill(systems)
        for by in ("HTTP", "client")
    ]


def _jobmill(systems: Sequence[System]) -> list[Jobmill]:
    return [each for each in systems if isinstance(each, Jobmill)]


PARTS: Final[Mapping[str, Part]] = {
    "submit": Part(rounds=_submit),
    "batches": Part(rounds=_batches, is_long=True),
    "file": Part(rounds=_file, is_long=True),
    "http": Part(rounds=_http),
    "drain": Part(rounds=_drain),
    "drain2": Part(rounds=_drain2, is_long=True),
    "latency": Part(rounds=_latency, is_once=True),
    "io": Part(rounds=_io, is_once=True),
    "embedded": Part(rounds=_embedded),
    "idle": Part(rounds=_idle, is_once=True),
    "growth": Part(rounds=_growth, is_once=True),
}
