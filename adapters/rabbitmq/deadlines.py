"""Every call to the client library goes through here, since some of its calls may wait for ever.

A call gets a task of its own. So a deadline holds whatever the library does with a cancellation, and a
cancellation that the library makes up itself, which it does when a connection closes, is told from one that
is meant for the caller.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from aiormq.exceptions import AMQPError

from jobmill.application.errors import BrokerUnavailable

Answer = TypeVar("Answer")

#: Calls under way, also those for which nobody waits any more; the event loop alone would let go of them.
_under_way: Final[set[asyncio.Task[Any]]] = set()


async def bounded(call: Coroutine[Any, Any, Answer], *, within_s: float, what: str) -> Answer:
    """Await ``call`` for at most ``within_s`` seconds.

    Args:
        call: speaks to the broker.
        what: names the call, for the message of the error.

    Raises:
        BrokerUnavailable: there was no answer in time, or the connection or channel closed in the middle.
    """
    task = asyncio.ensure_future(call)
    try:
        return await patient(task, within_s=within_s, what=what)
    finally:
        task.cancel()  # its end is not waited for: that may be far off


async def patient(
    call: "Coroutine[Any, Any, Answer] | asyncio.Task[Answer]", *, within_s: float, what: str
) -> Answer:
    """Await ``call`` like ``bounded``, and let it go on when the time is over; it must end by itself.

    A goodbye that is cancelled says itself once more, and where the channel is gone by then the broker closes
    the whole connection over it.
    """
    task = asyncio.ensure_future(call)
    _look_after(task)
    await asyncio.wait({task}, timeout=within_s)
    if not task.done():
        raise BrokerUnavailable(f"RabbitMQ did not {what} within {within_s:g} s")
    if task.cancelled():
        raise BrokerUnavailable(f"the connection to RabbitMQ closed before it could {what}")
    error = task.exception()
    if error is None:
        return task.result()
    translated = _translated(error, what)
    raise translated from (None if translated is error else error)


def in_background(call: Coroutine[Any, Any, object]) -> None:
    """Let a call run to its end with nobody waiting for it; it must be bounded by itself."""
    _look_after(asyncio.ensure_future(call))


def _look_after(task: asyncio.Task[Any]) -> None:
    _under_way.add(task)
    task.add_done_callback(_ended)


def _ended(task: asyncio.Task[Any]) -> None:
    _under_way.discard(task)
    if not task.cancelled():
        task.exception()  # read, so that asyncio does not report it as never retrieved


def _translated(error: BaseException, what: str) -> BaseException:
    # RuntimeError is a closed channel or transport; the bare Exception is what the library puts into the
    # calls in flight when a connection ends in good order; StopAsyncIteration is its word for a connection
    # that ends between two frames of the log-in.
    ends = AMQPError | OSError | EOFError | RuntimeError | StopAsyncIteration
    if isinstance(error, ends) or type(error) is Exception:
        words = str(error) or type(error).__name__
        return BrokerUnavailable(f"RabbitMQ did not {what}: {words}")
    return error
