"""Make the board before anything starts: ``python -m odds_board.setup``. Again is harmless."""

import asyncio

from odds_board import board
from odds_board.database import connection


async def set_up(url: str | None = None) -> None:
    async with connection(url) as db:
        await board.make(db)


if __name__ == "__main__":
    asyncio.run(set_up())
