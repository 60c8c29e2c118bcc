"""Make the tables and user 1 before anything starts: ``python -m task_board.setup``. Again is harmless."""

import asyncio
import os

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from task_board.database import open_engine
from task_board.settings import Settings
from task_board.tables import Tables, User


async def set_up(url: str) -> None:
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Tables.metadata.create_all)
    async with AsyncSession(engine) as session, session.begin():
        if not await session.scalar(select(func.count()).select_from(User)):
            session.add(User(name="Ada", email="ada@example.com"))  # of an empty table the first: user 1
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(set_up(Settings.from_env(os.environ).database_url))
