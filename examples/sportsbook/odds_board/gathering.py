"""Many jobs, one write: what handlers want to write at the same moment goes to the database together.

A transaction for each update costs a commit for each. Here the first handler that comes opens its job's own
transaction and writes for all who wait by then. Their jobs succeed a moment later; should the worker die in
between, they run again and find that their update is there.
"""

import asyncio
from collections import deque

from attrs import define, field

from jobmill import JobContext

from odds_board import board
from odds_board.board import Row

ROWS_MAX = 500


@define
class Wish:
    """A row that a handler wants written.

    Its turn comes with whether the row was newer than what was there, or with None: lead the next write.
    """

    row: Row
    turn: asyncio.Future[bool | None]


@define
class Gathering:
    """The handlers of this process that wait for their row to be written, first come first served."""

    _waiting: deque[Wish] = field(init=False, factory=deque)
    _is_led: bool = field(init=False, default=False)

    async def write(self, row: Row, job: JobContext) -> bool:
        """Write a row, alone or with others; whether it was newer than what was there.

        Raises:
            Exception: what went wrong in this job's own transaction. Those who waited write without it.
        """
        mine = Wish(row, asyncio.get_running_loop().create_future())
        if self._is_led:
            self._waiting.append(mine)
            was_newer = await self._turn(mine)
            if was_newer is not None:
                return was_newer
        self._is_led = True
        return await self._lead(mine, job)

    async def _turn(self, mine: Wish) -> bool | None:
        try:
            return await mine.turn
        except asyncio.CancelledError:
            if mine.turn.done() and not mine.turn.cancelled() and mine.turn.result() is None:
                self._pass_on()
            raise

    async def _lead(self, mine: Wish, job: JobContext) -> bool:
        others = [self._waiting.popleft() for _ in range(min(len(self._waiting), ROWS_MAX - 1))]
        try:
            async with job.transaction() as db:
                newer = await board.write(db, [mine.row, *(wish.row for wish in others)])
        except BaseException:
            self._waiting.extendleft(reversed(others))
            raise
        else:
            for wish in others:
                if not wish.turn.done():
                    wish.turn.set_result(wish.row.mark in newer)
            return mine.row.mark in newer
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        """Let the next who still waits lead."""
        while self._waiting:
            wish = self._waiting.popleft()
            if not wish.turn.done():
                wish.turn.set_result(None)
                return
        self._is_led = False
