"""The child's side: it waits for errands, runs one at a time, and ends with its worker."""

import ctypes
import importlib
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from logging import LoggerAdapter, getLogger
from typing import Any, BinaryIO, Final

from jobmill.adapters.processes.child_log import forward_logs
from jobmill.adapters.processes.frames import Frame, errand_in, outcome_frame, packed, read_frame
from jobmill.application.codec.payload_schema import PayloadSchema, write_result
from jobmill.application.errors import TransactionFault
from jobmill.application.handlers import HandlerFault, JobContext, JobType
from jobmill.application.handlers.signature import Signature
from jobmill.application.outcomes import Outcome, Succeeded
from jobmill.application.ports.executors import Errand
from jobmill.application.verdicts import RESULT_BYTES_MAX, verdict_on

#: Linux: a signal for this process at the death of the one that started it.
_PR_SET_PDEATHSIG: Final = 1


class Child:
    """Runs errands in the main thread; another listens, so that a handler cannot make it deaf."""

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe = pipe
        self._writing = threading.Lock()
        self._errands: queue.SimpleQueue[Errand] = queue.SimpleQueue()
        self._interrupted = threading.Event()

    def work(self) -> None:
        """Run errands until the worker is gone or kills this process."""
        threading.Thread(target=self._listen, name="jobmill-listener", daemon=True).start()
        while True:
            errand = self._errands.get()
            self.say({"begun": True})
            outcome = self._outcome_of(errand)
            self.say({"outcome": outcome_frame(outcome)})

    def say(self, frame: Mapping[str, Any]) -> None:
        """Write a frame, from any thread."""
        with self._writing:
            self._pipe.sendall(packed(frame))

    def _listen(self) -> None:
        reader: BinaryIO = self._pipe.makefile("rb")
        while (frame := read_frame(reader)) is not None:
            self._hear(frame)
        _end()

    def _hear(self, frame: Frame) -> None:
        if "interrupt" in frame:
            self._interrupted.set()
            return
        getLogger().setLevel(frame["log_level"])
        self._interrupted.clear()
        self._errands.put(errand_in(frame["errand"]))

    def _outcome_of(self, errand: Errand) -> Outcome:
        try:
            return Succeeded(result=self._run(errand))
        except BaseException as error:  # noqa: BLE001 - whatever the user's code raises is an outcome
            return verdict_on(error)

    def _run(self, errand: Errand) -> str | None:
        function, schema, takes_context = _found(errand)
        payload = schema.read(errand.payload)
        value = function(payload, self._context(errand)) if takes_context else function(payload)
        return write_result(value, limit_bytes=RESULT_BYTES_MAX)

    def _context(self, errand: Errand) -> JobContext:
        fields = {"job_id": str(errand.job_id), "type": errand.type, "attempt": errand.attempt}
        return JobContext(
            job_id=errand.job_id,
            type=errand.type,
            attempt=errand.attempt,
            max_attempts=errand.max_attempts,
            idempotency_key=errand.idempotency_key,
            correlation_id=errand.correlation_id,
            deadline=errand.deadline,
            log=LoggerAdapter(getLogger("jobmill.handler"), fields),
            is_cancelled=self._interrupted.is_set,
            transact=_refuse_transaction,
            report=self._report,
            inherited=errand.inherited,
        )

    def _report(self, fraction: float, note: str | None) -> None:
        self.say({"progress": fraction, "note": note})


def _found(errand: Errand) -> tuple[Callable[..., Any], PayloadSchema[Any], bool]:
    """Import the function; its name stands for it, or for the ``JobType`` that the decorator made of it."""
    found = getattr(importlib.import_module(errand.module), errand.function, None)
    if isinstance(found, JobType):
        return found.function, found.schema, found.takes_context
    if found is None or not callable(found):
        mend = "leave the decorated function under its own name, at the level of its module"
        raise HandlerFault(f"there is no function {errand.function!r} in {errand.module!r}; {mend}")
    signature = Signature.of(found, process=True)
    return found, PayloadSchema(signature.payload), signature.takes_context


def _refuse_transaction() -> AbstractAsyncContextManager[Any]:
    raise TransactionFault(
        "job.transaction() lives in the worker's own process: leave out process=True and use 'async def'"
    )


def _end() -> None:
    """The worker is gone: nothing that the handler started may outlive it either."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)  # the group is not ours


def _die_with(parent: int) -> None:
    """Ask the system to kill this process with its worker, also where the listener gets no turn any more."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        _end()  # it died before we asked


def main() -> None:
    """Serve one worker; its process id and the pipe's descriptor stand on the command line."""
    parent, descriptor = int(sys.argv[2]), int(sys.argv[3])
    _die_with(parent)
    # Who stops the worker may signal this process too: whether its handler may finish is for the worker to
    # say. Not ignored, since what a handler starts would inherit that.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _number, _frame: None)
    os.set_inheritable(descriptor, False)
    child = Child(socket.socket(fileno=descriptor))
    forward_logs(child.say)
    child.work()
