"""Running statements on the tables: each one whole, at one moment, by one clock."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from attrs import field, frozen

from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.clock import Clock

Answer = TypeVar("Answer")
#: Called with "before <statement>" and "after <statement>", as in "before jobs.save". Whatever it raises is
#: what the caller meets: before, nothing was done; after, all was done and the answer is lost. It may also
#: return an awaitable, which holds the statement up.
Faults = Callable[[str], Awaitable[None] | None]


def no_faults(_moment: str) -> None:
    """Let every statement pass."""


@frozen(kw_only=True)
class Database:
    """The tables, their clock, and whatever shall go wrong."""

    clock: Clock
    faults: Faults = no_faults
    tables: Tables = field(factory=Tables)

    async def run(self, name: str, work: Callable[[Tables, datetime], Answer]) -> Answer:
        """Run ``work`` at one moment: nobody comes in between, and it reads the clock once.

        The loop turns before and after, as with a real database, so that other callers do get in between a
        caller's decision, the statement, and its answer.
        """
        await self._pass(f"before {name}")
        answer = work(self.tables, self.clock.now())
        await self._pass(f"after {name}")
        return answer

    async def _pass(self, moment: str) -> None:
        held = self.faults(moment)
        if held is not None:
            await held
        await asyncio.sleep(0)
