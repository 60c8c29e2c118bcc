"""The statements on idempotency keys: who holds them, take what is free, take over what is over."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, Row, Select, Text, Uuid, and_, exists, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.dialect import Dialect, Incoming, Types, Values
from jobmill.adapters.sql.fences import later
from jobmill.adapters.sql.mapping import READ
from jobmill.adapters.sql.schema import job_keys, jobs
from jobmill.domain.states import TERMINAL


@frozen(kw_only=True)
class Keys:
    """Keys within the transaction that stores their jobs."""

    _names: Incoming
    _reading: Select[Any]
    _claims: Incoming
    _inserting: ReturningInsert[Any]
    _takeovers: Incoming
    _updating: ReturningUpdate[Any]

    @classmethod
    @lru_cache(maxsize=8)
    def on(cls, dialect: Dialect) -> "Keys":
        """Build the statements."""
        names = dialect.incoming("names", {"scope": Text(), "key": Text()})
        claim: Types = {"scope": Text(), "key": Text(), "job_id": Uuid(), "fingerprint": Text(), "hold": SPAN}
        claims = dialect.incoming("claims", claim)
        takeovers = dialect.incoming("takeovers", {**claim, "held_by": Uuid()})
        return cls(
            names=names,
            reading=_reading(dialect, names),
            claims=claims,
            inserting=_inserting(dialect, claims),
            takeovers=takeovers,
            updating=_updating(dialect, takeovers),
        )

    async def held(self, connection: AsyncConnection, names: Sequence[Values]) -> Sequence[Row[Any]]:
        """Return who holds these (scope, key): a ``READ`` row, then scope, key, holder, fingerprint, free.

        The job's columns are null where the job is gone. A key is *free* if its job is gone, or if its hold
        is over and its job finished.
        """
        rows: Sequence[Row[Any]] = (await connection.execute(self._reading, self._names.bound(names))).all()
        return rows

    async def insert(self, connection: AsyncConnection, claims: Sequence[Values]) -> bool:
        """Take keys that nobody holds, as (scope, key, job id, fingerprint, hold); False if one was taken."""
        taken = (await connection.execute(self._inserting, self._claims.bound(claims))).all()
        return len(taken) == len(claims)

    async def take_over(self, connection: AsyncConnection, claims: Sequence[Values]) -> bool:
        """Take free keys from the holder last named in each row; False if one is no longer free or his."""
        taken = (await connection.execute(self._updating, self._takeovers.bound(claims))).all()
        return len(taken) == len(claims)


def _is_free(dialect: Dialect) -> ColumnElement[bool]:
    """Nothing keeps the key: no job of it is there that is open, or for which the hold still lasts."""
    held_by = jobs.alias("held_by")
    keeps = or_(held_by.c.state.not_in(TERMINAL), job_keys.c.expires_at > dialect.now)
    return not_(exists(held_by.c.id).where(held_by.c.id == job_keys.c.job_id, keeps))


def _reading(dialect: Dialect, names: Incoming) -> Select[Any]:
    wanted = names.rows.c
    holder = job_keys.c.job_id.label("holder")
    key = (job_keys.c.scope, job_keys.c.key, holder, job_keys.c.fingerprint, _is_free(dialect).label("free"))
    same = and_(job_keys.c.scope == wanted.scope, job_keys.c.key == wanted.key)
    return select(*READ, *key).select_from(
        names.rows.join(job_keys, same).outerjoin(jobs, jobs.c.id == job_keys.c.job_id)
    )


def _inserting(dialect: Dialect, claims: Incoming) -> ReturningInsert[Any]:
    claim = claims.rows.c
    source = select(
        claim.scope, claim.key, claim.job_id, claim.fingerprint, later(dialect.now, claim.hold)
    ).order_by(claim.scope, claim.key)
    return (
        dialect.insert(job_keys)
        .from_select([column.name for column in job_keys.columns], source)
        .on_conflict_do_nothing(index_elements=[job_keys.c.scope, job_keys.c.key])
        .returning(job_keys.c.key)
    )


def _updating(dialect: Dialect, takeovers: Incoming) -> ReturningUpdate[Any]:
    """Build the take-over from the very holder that was read.

    Without that condition a key that was taken a moment ago could be taken again: its new job stands in no
    snapshot yet, so the statement would hold it for gone.
    """
    claim = takeovers.rows.c
    same = and_(job_keys.c.scope == claim.scope, job_keys.c.key == claim.key)
    held = (
        select(job_keys.c.scope, job_keys.c.key)
        .join(takeovers.rows, same)
        .order_by(job_keys.c.scope, job_keys.c.key)
        .with_for_update(of=job_keys)
        .cte("held")
    )
    return (
        update(job_keys)
        .values(job_id=claim.job_id, fingerprint=claim.fingerprint, expires_at=later(dialect.now, claim.hold))
        .where(
            job_keys.c.scope == held.c.scope,
            job_keys.c.key == held.c.key,
            same,
            job_keys.c.job_id == claim.held_by,
            _is_free(dialect),
        )
        .returning(job_keys.c.key)
    )
