"""A bounded pool of threads that do not keep their process alive."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from jobmill.application.ports.executors import Threads

_Item = tuple["Future[Any]", Callable[[], Any]]


class DaemonThreads(Executor):
    """Like a ``ThreadPoolExecutor``, but Python does not wait for its threads when it ends.

    A handler that is stuck in a thread would else keep its worker from ending, and nobody can end a thread.
    A thread is started where all others are busy, up to the bound, and then stays.
    """

    def __init__(self, *, threads_max: int) -> None:
        self._threads_max = threads_max
        self._started = 0
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._items: queue.SimpleQueue[_Item] = queue.SimpleQueue()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """See ``Executor``."""
        future: Future[Any] = Future()
        self._items.put((future, lambda: fn(*args, **kwargs)))
        with self._lock:
            if not self._idle.acquire(blocking=False) and self._started < self._threads_max:
                self._started += 1
                name = f"jobmill-handler-{self._started}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            self._run(*self._items.get())
            self._idle.release()

    @staticmethod
    def _run(future: "Future[Any]", call: Callable[[], Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            value = call()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever asked for the call
            future.set_exception(error)
        else:
            future.set_result(value)


class ThreadPool(Threads):
    """The threads of one worker process. None is started before the first call.

    Args:
        size: calls at once, 1 or more.
    """

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._threads = DaemonThreads(threads_max=size)

    @property
    def size(self) -> int:
        """See ``Threads``."""
        return self._size

    def start(self, call: Callable[[], None]) -> "asyncio.Future[None]":
        """See ``Threads``."""
        return asyncio.get_running_loop().run_in_executor(self._threads, call)
