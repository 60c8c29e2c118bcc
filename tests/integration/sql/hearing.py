"""Every statement on its way to the database, whether SQLAlchemy carries it or the driver alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Engine, event

from jobmill.adapters.sql.dialect import Params
from jobmill.adapters.sql.sqlite_hot import SqliteHot


@contextmanager
def heard(engine: Engine, hear: Callable[[str], None]) -> Iterator[None]:
    """Call ``hear`` with the text of each statement before it is sent; what it raises comes instead."""
    fetch = asyncpg.Connection.fetch

    async def heard_fetch(
        connection: "asyncpg.Connection[Any]", text: str, *values: object
    ) -> list[asyncpg.Record]:
        hear(text)
        rows: list[asyncpg.Record] = await fetch(connection, text, *values)
        return rows

    def hear_sqlalchemy(_conn: object, _cursor: object, text: str, *_: object) -> None:
        hear(text)

    bind = SqliteHot.values

    def heard_bind(hot: SqliteHot, params: Params) -> list[Any]:
        hear(hot.text)
        return bind(hot, params)

    event.listen(engine, "before_cursor_execute", hear_sqlalchemy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncpg.Connection, "fetch", heard_fetch)
        patch.setattr(SqliteHot, "values", heard_bind)
        yield
    event.remove(engine, "before_cursor_execute", hear_sqlalchemy)
