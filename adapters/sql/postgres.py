"""PostgreSQL through asyncpg: its connections and what each of them is told at the start."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import AdaptedConnection, NullPool, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from jobmill.adapters.sql.address import Address
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.limits import Limits
from jobmill.adapters.sql.postgres_dialect import Postgres
from jobmill.adapters.sql.postgres_line import PostgresLine

CONNECT_WITHIN_S: Final = 5.0
IDLE_SETTING: Final = "idle_in_transaction_session_timeout"
#: How much longer than the server's own limit we wait for its word, in case that it lives no more.
SILENCE_S: Final = 5.0
#: A process that hangs between two statements of ours holds locks that others need: so long and no longer,
#: which is as long as they wait for a lock.
IDLE_IN_TRANSACTION_S: Final = 5.0
#: The hot path finds its rows by their keys, and joins what it found to what was handed in. The planner would
#: rather read a table that it believes to be small, as every table once was, and new days of jobs always are:
#: it keeps that plan while the table grows, and makes many before. So it is left one plan, made once.
ONE_PLAN: Final = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_nestloop": "off",
    "enable_mergejoin": "off",
}
#: What is forgotten twice, or after a crash of the database once more, is forgotten all the same. To wait for
#: the disk would hold up the commits behind it, the next job's claim among them.
LAX: Final = {**ONE_PLAN, "synchronous_commit": "off"}
NO_ADVICE: Final[Mapping[str, str]] = {}
#: Of each kind one large statement runs, or two small ones: new jobs, starts, outcomes; looks, leases.
LINES: Final = 6
#: A handler may take its time, up to its outcome, which locks its job's row.
HANDLER_IDLE_S: Final = 60.0


def open_postgres(address: Address, limits: Limits) -> Database:
    """Make the engines; nothing is connected yet.

    Single statements run in autocommit, which costs one round trip instead of three. Both kinds share the
    connections. There is no ping before each use, which would cost another.
    """
    engine = create_async_engine(
        address.opened(create=False),
        connect_args=connect_args(limits),
        pool_size=limits.pool_size,
        max_overflow=0,
        pool_timeout=limits.pool_wait_s,
        hide_parameters=True,
    )
    handlers = create_async_engine(
        address.opened(create=False),
        connect_args=connect_args(limits, idle_s=HANDLER_IDLE_S),
        pool_size=limits.handlers_max,
        max_overflow=0,
        pool_timeout=limits.pool_wait_s,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
    )
    lines = create_async_engine(
        address.opened(create=False),
        connect_args=connect_args(limits, planning=ONE_PLAN),
        pool_size=min(LINES, limits.pool_size),
        max_overflow=0,
        pool_timeout=limits.pool_wait_s,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
    )
    lax = create_async_engine(
        address.opened(create=False),
        connect_args=connect_args(limits, planning=LAX),
        pool_size=1,
        max_overflow=0,
        pool_timeout=limits.pool_wait_s,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
    )
    for each in (engine, lines, lax, handlers):
        event.listen(each.sync_engine, "checkout", _replace_closed)
    single = engine.execution_options(isolation_level="AUTOCOMMIT")
    return Database(
        address=str(address),
        dialect=Postgres(),
        reads=single,
        writes=single,
        chains=single,
        line=PostgresLine(engine=lines, silence_s=_silence(limits)),
        lax=PostgresLine(engine=lax, silence_s=_silence(limits)),
        units=engine,
        handlers=handlers,
        handlers_max=limits.handlers_max,
        handler_within_s=None,
        last_words=[text(f"SET LOCAL {IDLE_SETTING} = {_milliseconds(IDLE_IN_TRANSACTION_S)}")],
        pools={"general": engine, "hot": lines, "forgetting": lax, "handlers": handlers},
        bounded=lambda _: asyncio.timeout(_silence(limits)),
    )


def one_time_engine(address: Address, limits: Limits) -> AsyncEngine:
    """Make an engine that keeps no connection, for a migration."""
    return create_async_engine(
        address.opened(create=True),
        connect_args=connect_args(limits, idle_s=HANDLER_IDLE_S),
        poolclass=NullPool,
        hide_parameters=True,
    )


def _silence(limits: Limits) -> float | None:
    return limits.statement_timeout_s + SILENCE_S if limits.statement_timeout_s else None


def connect_args(
    limits: Limits, *, idle_s: float = IDLE_IN_TRANSACTION_S, planning: Mapping[str, str] = NO_ADVICE
) -> dict[str, Any]:
    """Return what every connection is told at its start."""
    settings = {
        "application_name": "jobmill",
        "statement_timeout": _milliseconds(limits.statement_timeout_s),
        "lock_timeout": _milliseconds(limits.lock_timeout_s),
        IDLE_SETTING: _milliseconds(idle_s),
        "timezone": "UTC",  # elsewhere a day that is added may have 23 hours
        "jit": "off",  # takes longer than any statement of ours
    }
    return {"timeout": CONNECT_WITHIN_S, "server_settings": {**settings, **planning}}


def _replace_closed(connection: AdaptedConnection, *_: object) -> None:
    """Replace a connection that the server has closed while it lay in the pool; costs no round trip."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
