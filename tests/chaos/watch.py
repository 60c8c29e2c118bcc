"""Looking into the database beside Jobmill, whatever becomes of the connection."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
from attrs import define, field

from tests.chaos.mix import OPEN
from tests.servers.waiting import until

_TROUBLE: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
ANSWER_WITHIN_S: Final = 10.0
_PAUSE_S: Final = 0.2
#: Who waits sets the bound.
FOR_EVER_S: Final = 3_600.0

COUNT_OPEN: Final = "select count(*) from jobs where state = any($1::text[])"


@define(kw_only=True)
class Watch:
    """One connection, made anew when it breaks; every question is repeated until it is answered."""

    url: str
    _connection: "asyncpg.Connection[asyncpg.Record] | None" = field(default=None, init=False)
    _turn: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def rows(self, question: str, *values: object, within_s: float = ANSWER_WITHIN_S) -> list[Any]:
        """What the database answers, sooner or later."""
        async with self._turn:
            while True:
                try:
                    async with asyncio.timeout(within_s):
                        self._connection = self._connection or await asyncpg.connect(self.url)
                        return await self._connection.fetch(question, *values)
                except _TROUBLE:
                    self._hang_up()
                    await asyncio.sleep(_PAUSE_S)
                except asyncio.CancelledError:
                    self._hang_up()  # the answer to this question must not be taken for that to the next
                    raise

    async def one(self, question: str, *values: object) -> Any:  # noqa: ANN401 - whatever was asked for
        """The first value of the first row; None if there is none."""
        rows = await self.rows(question, *values)
        return rows[0][0] if rows else None

    async def state_of(self, job_id: UUID) -> str | None:
        """The state of a job; None if the database does not know it."""
        state: str | None = await self.one("select state from jobs where id = $1", job_id)
        return state

    async def count_open(self) -> int:
        """Jobs that have not ended."""
        return int(await self.one(COUNT_OPEN, sorted(OPEN)))

    async def ended(self, job_ids: Sequence[UUID]) -> None:
        """Wait until these jobs have ended, however."""
        question = "select count(*) from jobs where id = any($1::uuid[]) and not state = any($2::text[])"

        async def over() -> bool:
            return bool(await self.one(question, list(job_ids), sorted(OPEN)) == len(job_ids))

        await until(over, within_s=FOR_EVER_S)

    def close(self) -> None:
        """Hang up."""
        self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
