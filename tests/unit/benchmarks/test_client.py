"""A client submits what it is told to, as many calls at once as it is told to."""

import asyncio
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import client, effects
from benchmarks.client import Load, answer_of
from benchmarks.effects import Effects
from benchmarks.payload import ORDINARY_BYTES, pad_for, payload


class Recorder:
    """A producer that notes the numbers of jobs, and how many calls were open at once."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.open_now = self.open_most = 0

    async def open(self, *, in_flight: int) -> None:
        self.in_flight = in_flight

    async def submit(self, payload: dict[str, Any]) -> None:
        await self.submit_batch([payload])

    async def submit_batch(self, payloads: Sequence[dict[str, Any]]) -> None:
        self.open_now += 1
        self.open_most = max(self.open_most, self.open_now)
        await asyncio.sleep(0)
        self.calls.append([each["i"] for each in payloads])
        self.open_now -= 1

    async def close(self) -> None: ...


class ThreadedRecorder:
    """The same, for a library that blocks."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def open(self, *, in_flight: int) -> None: ...

    def submit(self, payload: dict[str, Any]) -> None:
        self.numbers.append(payload["i"])

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("go\n"))


def payloads(load: Load) -> list[dict[str, Any]]:
    return [payload(load.first + number) for number in range(load.jobs)]


async def test_single_calls_are_made_so_many_at_once() -> None:
    recorder, load = Recorder(), Load(jobs=10, in_flight=3)

    done = await client.submitted(recorder, load, payloads(load))

    assert sorted(number for [number] in recorder.calls) == list(range(10))
    assert recorder.open_most == recorder.in_flight == 3
    assert done.jobs == 10


async def test_batches_hold_as_many_as_they_should_and_the_last_the_rest() -> None:
    recorder, load = Recorder(), Load(jobs=7, first=100, batch=3)

    await client.submitted(recorder, load, payloads(load))

    assert recorder.calls == [[100, 101, 102], [103, 104, 105], [106]]


async def test_at_a_rate_each_call_is_noted_as_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = Effects.make(tmp_path / "effects", 5)
    monkeypatch.setenv(effects.VARIABLE, str(tmp_path / "effects"))
    load = Load(jobs=5, rate=10_000.0, in_flight=16)

    await client.submitted(Recorder(), load, payloads(load))

    assert list(noted.submitted_ns()) == sorted(noted.submitted_ns())
    assert all(noted.submitted_ns())
    noted.close()


def test_threads_share_the_jobs_among_them() -> None:
    recorder, load = ThreadedRecorder(), Load(jobs=20, in_flight=4, threaded=True)

    done = client.submitted_by_threads(recorder, load, payloads(load))

    assert sorted(recorder.numbers) == list(range(20))
    assert done.jobs == 20


def test_a_load_and_an_answer_are_read_as_they_were_written() -> None:
    load = Load(jobs=5, batch=2, rate=20.0)

    assert Load(**json.loads(load.as_text())) == load
    assert answer_of('{"jobs": 5, "seconds": 0.5, "cpu_s": 0.25}\n').seconds == 0.5


@pytest.mark.parametrize("size", [200, 2_000, 9_500])
def test_a_payload_is_about_as_long_as_it_should_be(size: int) -> None:
    assert abs(len(json.dumps(payload(12_345, pad=pad_for(size)))) - size) < 20


def test_the_ordinary_payload_has_the_ordinary_length() -> None:
    assert abs(len(json.dumps(payload(12_345))) - ORDINARY_BYTES) < 20
