"""Show an event as the board has it: ``python -m odds_board.show EVENT``."""

import asyncio
import sys
from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncConnection

from odds_board import board
from odds_board.database import connection


async def main(event: str) -> None:
    async with connection() as db:
        async for line in lines(db, event):
            print(line)


async def lines(db: AsyncConnection, event: str) -> AsyncIterator[str]:
    told = await board.one(db, "event", event)
    if told is None:
        yield f"{event}: nothing is known of it"
        return
    yield f"{told.name} ({told.status})"
    for market in await board.children(db, "market", event):
        yield f"  {market.name} ({market.status})"
        for selection in await board.children(db, "selection", market.id):
            yield f"    {selection.name:<12} {await prices(db, selection.id)}"


async def prices(db: AsyncConnection, selection: str) -> str:
    odds, boost = await board.one(db, "odds", selection), await board.one(db, "boost", selection)
    if odds is None:
        return "no odds"
    return f"{odds.price_milli / 1000:.2f}" + (
        f", boosted to {boost.price_milli / 1000:.2f}" if boost else ""
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
