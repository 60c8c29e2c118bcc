"""Statements of SQLAlchemy spelled out once, as asyncpg takes them."""

from enum import Enum
from typing import Any, Final

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql.compiler import SQLCompiler

from jobmill.adapters.sql.dialect import Hot

_DIALECT: Final = dialect()  # type: ignore[no-untyped-call]


def spelled(statement: Executable) -> Hot:
    """Spell a statement out. What it does not bring along itself must be handed in as the driver takes it."""
    compiled: Any = statement.compile(  # type: ignore[attr-defined]
        dialect=_DIALECT, compile_kwargs={"render_postcompile": True}
    )
    assert isinstance(compiled, SQLCompiler)
    own = {name: value.value if isinstance(value, Enum) else value for name, value in compiled.params.items()}
    return Hot(statement=statement, text=str(compiled), order=tuple(compiled.positiontup or ()), own=own)
