"""The read model alone: whatever order updates come in, and however often, it ends as the newest have it."""

from collections.abc import AsyncGenerator
from itertools import permutations

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncConnection

from odds_board import board
from odds_board.board import Row
from odds_board.database import connection

LAST = 4
UPDATES = [Row(kind="odds", id="ajax", sequence=n, price_milli=2_000 + n) for n in range(1, LAST + 1)]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return "sqlite://"
    asked: str = request.getfixturevalue("postgres_url")
    return asked


@pytest_asyncio.fixture
async def db(url: str) -> AsyncGenerator[AsyncConnection]:
    async with connection(url) as opened:
        await board.make(opened)
        yield opened


async def test_in_every_order_the_newest_stands_at_the_end(db: AsyncConnection) -> None:
    for number, order in enumerate(permutations(UPDATES)):
        for row in order:
            await board.write(db, [moved(row, to=f"selection-{number}")])

    ends = [await board.price_of(db, f"selection-{number}") for number in range(24)]
    assert ends == [2_000 + LAST] * 24


async def test_an_update_that_comes_again_or_late_is_told_from_one_that_is_newer(db: AsyncConnection) -> None:
    first, second = UPDATES[:2]

    assert await board.write(db, [second]) == {second.mark}
    assert await board.write(db, [second]) == frozenset()
    assert await board.write(db, [first]) == frozenset()
    assert await board.one(db, "odds", "ajax") == second


async def test_of_one_thing_in_one_write_only_the_newest_is_written(db: AsyncConnection) -> None:
    written = await board.write(db, [UPDATES[1], UPDATES[3], UPDATES[0], moved(UPDATES[0], to="psv")])

    assert written == {UPDATES[3].mark, ("odds", "psv", 1)}


async def test_things_of_different_kinds_under_one_id_are_different_things(db: AsyncConnection) -> None:
    market = Row(kind="market", id="ajax", parent="match", sequence=9, name="Winner", status="open")

    await board.write(db, [market, UPDATES[0]])

    assert await board.one(db, "market", "ajax") == market
    assert await board.one(db, "odds", "ajax") == UPDATES[0]
    assert await board.children(db, "market", "match") == [market]
    assert await board.one(db, "event", "ajax") is None


def moved(row: Row, *, to: str) -> Row:
    return Row(kind=row.kind, id=to, sequence=row.sequence, price_milli=row.price_milli)
