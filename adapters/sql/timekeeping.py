"""How the database's clock is learned and kept: asked at the start and every few seconds."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.clock import DatabaseClock, Sample
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.sqlite_dialect import host_time
from jobmill.application.errors import SetupFault, Unavailable

ASK_EVERY_S: Final = 10.0
#: Of several quick questions one is likely to meet no delay on its way.
QUESTIONS: Final = 3
#: How long the opening waits for the first answer; without one it goes on by the host's clock.
FIRST_ANSWER_S: Final = 2.0
#: The first guess knows nothing of the database, so that any answer is better.
_NO_IDEA_S: Final = 1e9


def first_guess() -> DatabaseClock:
    """Make a clock that shows the host's time until the database has been asked."""
    monotonic = asyncio.get_running_loop().time
    guess = Sample(shown=host_time(), at_s=monotonic(), error_s=_NO_IDEA_S)
    return DatabaseClock(monotonic=monotonic, best=guess)


@asynccontextmanager
async def keep_time(clock: DatabaseClock, database: Database) -> AsyncGenerator[None]:
    """Ask once, then again and again while the block lasts."""
    try:
        async with asyncio.timeout(FIRST_ANSWER_S):
            await _ask(clock, database)
    except TimeoutError:
        pass
    task = asyncio.create_task(_go_on_asking(clock, database), name="jobmill-database-clock")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _go_on_asking(clock: DatabaseClock, database: Database) -> None:
    while True:
        await asyncio.sleep(ASK_EVERY_S)
        await _ask(clock, database)


async def _ask(clock: DatabaseClock, database: Database) -> None:
    """Ask a few times; a database that cannot be asked leaves the clock as it is."""

    async def work(connection: AsyncConnection) -> None:
        for _ in range(QUESTIONS):
            asked_s = monotonic()
            shown = (await connection.execute(database.dialect.time)).scalar_one()
            at_s = monotonic()
            clock.learn(Sample(shown=shown, at_s=at_s, error_s=at_s - asked_s))

    monotonic = asyncio.get_running_loop().time
    try:
        await database.look(work)
    except (Unavailable, SetupFault):
        pass
