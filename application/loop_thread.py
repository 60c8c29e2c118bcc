"""A loop in a thread of its own, for callers that have none."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from jobmill.application.errors import ClientClosed

T = TypeVar("T")

#: Loops of a parent process, with their connections. The child must not use them, nor close them by letting
#: them go: the sockets are still its parent's.
_OF_THE_PARENT: Final[list[object]] = []


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

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it there, and return or raise as it does; a caller that is interrupted cancels it.

        Raises:
            ClientClosed: the thread was stopped.
        """
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise ClientClosed from None
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def abandon(self, *others: object) -> None:
        """Leave it, and what hangs on it, to the parent process."""
        _OF_THE_PARENT.extend((self, *others))

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
