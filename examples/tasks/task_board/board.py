"""What the routes stand on: the database, Jobmill and the cache."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

from attrs import frozen
from fastapi import Depends, HTTPException, Request
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

import jobmill

from task_board.cache import Cache
from task_board.tables import Tables

Row = TypeVar("Row", bound=Tables)


@frozen
class Board:
    sessions: async_sessionmaker[AsyncSession]
    mill: jobmill.Client
    cache: Cache

    @asynccontextmanager
    async def changing(self, kind: type[Row], number: int) -> AsyncGenerator[tuple[AsyncSession, Row]]:
        """A transaction with the row that is to change, committed at the end of the block; 404 without it."""
        await self.cache.distrust(name_of(kind, number))
        async with self.sessions.begin() as session:
            row = await session.get(kind, number, with_for_update=True)
            if row is None:
                raise missing(kind, number)
            yield session, row


def name_of(kind: type[Tables], number: int) -> str:
    """Where the cache keeps a row."""
    return f"{kind.__tablename__}:{number}"


def missing(kind: type[Tables], number: int) -> HTTPException:
    return HTTPException(404, f"{kind.__tablename__} has no {number}")


async def must_exist(session: AsyncSession, kind: type[Tables], number: int | None, field: str) -> None:
    """Refuse a reference that leads nowhere, as FastAPI words what is wrong with a body."""
    if number is not None and await session.get(kind, number) is None:
        fault = {"type": "reference", "loc": ["body", field], "msg": f"there is no {number}", "input": number}
        raise HTTPException(422, [fault])


def _board(request: Request) -> Board:
    board: Board = request.state.board
    return board


TheBoard = Annotated[Board, Depends(_board)]
