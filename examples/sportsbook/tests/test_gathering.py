"""Many jobs, one write: each is told of its own row, and none waits for one that has gone."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest_asyncio
from attrs import define, field
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from jobmill import JobContext

from odds_board import board
from odds_board.board import Row
from odds_board.gathering import ROWS_MAX, Gathering


@define
class Jobs:
    """Stands for the jobs of a process: it opens their transactions, and can hold or break them."""

    engine: AsyncEngine
    opened: int = 0
    faults: int = 0
    goes_on: asyncio.Event = field(factory=asyncio.Event)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        self.opened += 1
        await self.goes_on.wait()
        if self.faults:
            self.faults -= 1
            raise ConnectionError("the database is away")
        async with self.engine.begin() as db:
            yield db

    @property
    def job(self) -> JobContext:
        return cast("JobContext", self)


@pytest_asyncio.fixture
async def jobs(tmp_path: Path) -> AsyncGenerator[Jobs]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'board.db'}")
    async with engine.begin() as db:
        await board.make(db)
    yield Jobs(engine)
    await engine.dispose()


def row(number: int) -> Row:
    return Row(kind="odds", id=f"selection-{number}", sequence=1, price_milli=2_000)


async def started(jobs: Jobs, gathering: Gathering, numbers: range) -> list[asyncio.Task[bool]]:
    """Tasks that write a row each; all have come, and the first stands in its transaction."""
    tasks = [asyncio.create_task(gathering.write(row(number), jobs.job)) for number in numbers]
    await asyncio.sleep(0)
    return tasks


async def test_all_who_come_during_a_write_are_written_by_the_next(jobs: Jobs) -> None:
    tasks = await started(jobs, Gathering(), range(ROWS_MAX))
    jobs.goes_on.set()

    assert await asyncio.gather(*tasks) == [True] * ROWS_MAX
    assert jobs.opened == 2


async def test_a_write_has_its_bound(jobs: Jobs) -> None:
    tasks = await started(jobs, Gathering(), range(ROWS_MAX + 2))
    jobs.goes_on.set()

    assert await asyncio.gather(*tasks) == [True] * (ROWS_MAX + 2)
    assert jobs.opened == 3


async def test_each_is_told_whether_its_own_row_was_newer(jobs: Jobs) -> None:
    gathering = Gathering()
    jobs.goes_on.set()
    await gathering.write(row(2), jobs.job)

    tasks = await started(jobs, gathering, range(4))

    assert await asyncio.gather(*tasks) == [True, True, False, True]


async def test_when_one_write_fails_those_who_waited_write_without_it(jobs: Jobs) -> None:
    jobs.faults = 2
    tasks = await started(jobs, Gathering(), range(5))
    jobs.goes_on.set()

    first, second, *others = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(first, ConnectionError)
    assert isinstance(second, ConnectionError)
    assert others == [True] * 3


async def test_one_that_is_cancelled_holds_up_nobody(jobs: Jobs) -> None:
    gathering = Gathering()
    first, second, third, fourth = await started(jobs, gathering, range(4))
    third.cancel()
    first.cancel()  # it leads, so that the second is told to lead
    await asyncio.sleep(0)
    second.cancel()  # and before it can
    jobs.goes_on.set()

    assert await fourth
    assert [task.cancelled() for task in (first, second, third)] == [True] * 3
    assert await gathering.write(row(9), jobs.job)
