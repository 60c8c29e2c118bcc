"""``python -m benchmarks.client MODULE PLAN``: a process that submits jobs, and says how it went.

It says ``ready`` when it is connected, waits for a line, submits, and answers with one line of JSON.
"""

import asyncio
import importlib
import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import uvloop
from attrs import asdict, frozen

from benchmarks.effects import Effects
from benchmarks.payload import pad_for, payload
from benchmarks.producer import Payload, Producer, ThreadedProducer

#: Threads of a contender whose library blocks.
THREADS: Final = 16


@frozen(kw_only=True)
class Load:
    """What a client is to submit.

    Args:
        jobs: how many, numbered from ``first`` on.
        in_flight: how many calls at once.
        batch: jobs per call; 1 is the call for a single job.
        rate: jobs per second to keep to; 0 is as fast as it goes.
        payload_bytes: about how long a payload is as JSON.
        threaded: the library blocks, so calls are made from threads.
    """

    jobs: int
    first: int = 0
    in_flight: int = 1
    batch: int = 1
    rate: float = 0.0
    payload_bytes: int = 200
    threaded: bool = False

    def as_text(self) -> str:
        return json.dumps(asdict(self))


@frozen(kw_only=True)
class Submitted:
    """How it went.

    Args:
        seconds: from the first call to the last answer.
        cpu_s: processor time of the client's process meanwhile.
    """

    jobs: int
    seconds: float
    cpu_s: float


def main() -> None:
    """Read the plan, submit, answer."""
    module, text = sys.argv[1:]
    load = Load(**json.loads(text))
    producer = importlib.import_module(module).Producer()
    pad = pad_for(load.payload_bytes)
    payloads = [payload(load.first + number, pad=pad) for number in range(load.jobs)]
    done = (
        submitted_by_threads(producer, load, payloads)
        if load.threaded
        else uvloop.run(submitted(producer, load, payloads))
    )
    print(json.dumps(asdict(done)), flush=True)


async def submitted(producer: Producer, load: Load, payloads: Sequence[Payload]) -> Submitted:
    """Submit from this loop, once the word was given."""
    await producer.open(in_flight=load.in_flight)
    await asyncio.to_thread(_wait_for_word)
    watch = _Watch()
    if load.rate:
        await _paced(producer, load, payloads)
    else:
        await asyncio.gather(*[_calls(producer, calls) for calls in _shared(load, payloads)])
    done = watch.stop(load.jobs)
    await producer.close()
    return done


async def _calls(producer: Producer, calls: Iterator[Sequence[Payload]]) -> None:
    for call in calls:
        if len(call) == 1:
            await producer.submit(call[0])
        else:
            await producer.submit_batch(call)


def _shared(load: Load, payloads: Sequence[Payload]) -> list[Iterator[Sequence[Payload]]]:
    """Return the same iterator of calls once for each that may be in flight."""
    calls = iter([payloads[at : at + load.batch] for at in range(0, len(payloads), load.batch)])
    return [calls] * load.in_flight


async def _paced(producer: Producer, load: Load, payloads: Sequence[Payload]) -> None:
    """Begin each call at its time, whether or not the one before it is answered."""
    effects, begin = Effects.of_this_run(), time.monotonic()

    async def submit(each: Payload) -> None:
        effects.submit(each["i"])
        await producer.submit(each)

    async with asyncio.TaskGroup() as calls:
        for number, each in enumerate(payloads):
            await asyncio.sleep(max(0.0, begin + number / load.rate - time.monotonic()))
            calls.create_task(submit(each))


def submitted_by_threads(producer: ThreadedProducer, load: Load, payloads: Sequence[Payload]) -> Submitted:
    """Submit from threads, once the word was given."""
    producer.open(in_flight=load.in_flight)
    lock, queue = threading.Lock(), iter(enumerate(payloads))
    effects = Effects.of_this_run() if load.rate else None
    begin = 0.0

    def work() -> None:
        while True:
            with lock:
                number, each = next(queue, (0, None))
                if each is None:
                    return
                if effects is not None:
                    _wait_until(begin + number / load.rate)
            if effects is not None:
                effects.submit(each["i"])
            producer.submit(each)

    _wait_for_word()
    watch = _Watch()
    begin = time.monotonic()
    with ThreadPoolExecutor(load.in_flight) as threads:
        for running in [threads.submit(work) for _ in range(load.in_flight)]:
            running.result()
    done = watch.stop(load.jobs)
    producer.close()
    return done


class _Watch:
    def __init__(self) -> None:
        self._cpu_s, self._begin = time.process_time(), time.perf_counter()

    def stop(self, jobs: int) -> Submitted:
        seconds = time.perf_counter() - self._begin
        return Submitted(jobs=jobs, seconds=seconds, cpu_s=time.process_time() - self._cpu_s)


def _wait_until(moment: float) -> None:
    if (early := moment - time.monotonic()) > 0:
        threading.Event().wait(early)


def _wait_for_word() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def answer_of(line: str) -> Submitted:
    """Read what a client answered."""
    values: dict[str, Any] = json.loads(line)
    return Submitted(**values)


if __name__ == "__main__":
    main()
