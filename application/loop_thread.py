"""A loop in a thread of its own, for callers that have none."""

import asyncio
import ctypes
import os
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from jobmill.application.errors import ClientClosed

T = TypeVar("T")

#: How long the end of a process waits for connections to be closed.
END_WITHIN_S: Final = 2.0


class LoopThread:
    """Runs coroutines for threads that wait for them. It never keeps the process from ending."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._run, name="jobmill-client", daemon=True)
        self._thread.start()

    @property
    def is_ours(self) -> bool:
        """False after a fork: threads stay with the parent."""
        return self._process == os.getpid()

    def call(self, work: Coroutine[Any, Any, T], *, within_s: float | None = None) -> T:
        """Run it there, and return or raise as it does; a caller that is interrupted cancels it.

        Raises:
            ClientClosed: the thread was stopped.
            TimeoutError: it took longer than ``within_s``.
        """
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise ClientClosed from None
        try:
            return future.result(within_s)
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """End the thread, after what it does at this moment."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()


def never_free(thing: object) -> None:
    """Keep an object, and all that hangs on it, beyond the end of the interpreter.

    Tasks that wait on a loop which will never run again clean up when they are freed. After a fork that would
    be done to the sockets of the parent; at the end of the interpreter it fails with a noise.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
