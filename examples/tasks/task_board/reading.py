"""Reading rows: one by its number, by way of the cache; and pages by number."""

from typing import Any, TypeVar

from fastapi import Response
from sqlalchemy import Select

from task_board.board import Board, missing, name_of
from task_board.bodies import View
from task_board.tables import Tables

AnyView = TypeVar("AnyView", bound=View)


async def one(board: Board, kind: type[Tables], view: type[View], number: int) -> Response:
    """Answer with a row; the header ``X-Cache`` says where it came from."""

    async def load() -> bytes | None:
        async with board.sessions() as session:
            row = await session.get(kind, number)
            return None if row is None else view.model_validate(row).model_dump_json(by_alias=True).encode()

    text, source = await board.cache.read(name_of(kind, number), load)
    if text is None:
        raise missing(kind, number)
    return Response(text, media_type="application/json", headers={"X-Cache": source})


async def page(board: Board, rows: Select[Any], view: type[AnyView]) -> list[AnyView]:
    async with board.sessions() as session:
        return [view.model_validate(row) for row in await session.scalars(rows)]
