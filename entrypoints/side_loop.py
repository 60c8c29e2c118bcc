"""A loop in a thread of its own, for what must go on while a handler blocks the main one."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any


async def run_aside(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run ``work`` on another loop, and end as it ends; cancelling this cancels it there.

    The thread does not keep the process alive.
    """
    here = asyncio.get_running_loop()
    ended: asyncio.Future[None] = here.create_future()
    there = asyncio.new_event_loop()
    task = there.create_task(work())

    def run() -> None:
        error: BaseException | None = None
        try:
            there.run_until_complete(task)
        except BaseException as raised:  # noqa: BLE001 - whatever it is, it is handed on
            error = raised
        finally:
            there.close()
        try:
            here.call_soon_threadsafe(_hand_on, ended, error)
        except RuntimeError:
            pass  # the main loop is closed: nobody waits

    threading.Thread(target=run, name="jobmill-side-loop", daemon=True).start()
    try:
        await asyncio.shield(ended)
    except asyncio.CancelledError:
        if not ended.done():
            there.call_soon_threadsafe(task.cancel)
            await asyncio.wait({ended})
        raise


def _hand_on(ended: "asyncio.Future[None]", error: BaseException | None) -> None:
    if isinstance(error, asyncio.CancelledError):
        ended.cancel()
    elif error is not None:
        ended.set_exception(error)
    else:
        ended.set_result(None)
