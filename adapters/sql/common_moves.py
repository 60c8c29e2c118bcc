"""The save of what nearly every move is: a start or a success, by a statement as narrow as they are.

A start and a success change few columns, and always the same ones. Where version and stamp are those of the
snapshot, all others stand in the row as they stand in the job, so they are not sent.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from attrs import frozen
from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    literal,
    not_,
    null,
    or_,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from jobmill.adapters.sql.column_types import INSTANT, SPAN
from jobmill.adapters.sql.dialect import Dialect, Hot, Incoming, Params, Types, Values
from jobmill.adapters.sql.fences import later
from jobmill.adapters.sql.guards import OUTSIDE, RUNS, rules
from jobmill.adapters.sql.schema import jobs
from jobmill.domain.states import Fact, Guard, JobState
from jobmill.domain.transition import Transition

#: What is sent of each move; ``starts`` is False for a success.
_MOVE: Types = {
    "job_id": jobs.c.id.type,
    "seen_version": Integer(),
    "seen_stamp": BigInteger(),
    "stamp": BigInteger(),
    "starts": Boolean(),
    "attempt": Integer(),
    "at": INSTANT,
    "result": Text(),
}


@frozen(kw_only=True)
class CommonMoves:
    """Any mix of successes, and of starts for one worker under one lease."""

    statement: Hot
    _moves: Incoming

    @classmethod
    @lru_cache(maxsize=8)
    def on(cls, dialect: Dialect) -> "CommonMoves":
        """Build the statement."""
        moves = dialect.incoming("moves", _MOVE)
        return cls(statement=dialect.hot(_statement(dialect, moves)), moves=moves)

    def bound(self, ordered: Sequence[Transition]) -> Params | None:
        """Return the parameters that save these moves; None if one of them is of another kind."""
        worker: str | None = None
        lease: timedelta | None = None
        for each in ordered:
            if each.fact is Fact.SUCCEEDED and each.guard is Guard.NONE:
                continue
            if each.fact is not Fact.STARTED or each.guard is not Guard.CLAIM:
                return None
            if lease is None:
                worker, lease = each.job.worker, each.lease
            elif worker != each.job.worker or lease != each.lease:
                return None
        return self._moves.bound([_values(each) for each in ordered]) | {"worker": worker, "lease": lease}


def _values(move: Transition) -> Values:
    before, job = move.before, move.job
    starts = move.fact is Fact.STARTED
    result = None if starts else job.result
    return (
        job.id, before.version, before.stamp, job.stamp, starts, job.attempt, job.updated_at, result,
    )  # fmt: skip


def _statement(dialect: Dialect, moves: Incoming) -> ReturningUpdate[Any]:
    move = moves.rows.c
    job = jobs.c
    begins, ends = move.starts, not_(move.starts)
    state = job.state.type
    asked = rules(dialect)
    return (
        update(jobs)
        .values(
            version=job.version + 1,
            stamp=move.stamp,
            state=case(
                (begins, literal(JobState.PROCESSING, state)), else_=literal(JobState.SUCCEEDED, state)
            ),
            updated_at=move.at,
            attempt=move.attempt,
            started_at=case((begins, move.at), else_=job.started_at),
            finished_at=case((ends, move.at)),
            worker=case((begins, bindparam("worker", None, Text()))),
            lease_until=case((begins, later(dialect.now, bindparam("lease", None, SPAN)))),
            retry_at=null(),
            wake_at=null(),
            error=case((begins, job.error)),
            error_kind=case((begins, job.error_kind)),
            result=case((begins, job.result), else_=move.result),
            announces=case((begins, 0), else_=job.announces),
        )
        .where(
            job.id == move.job_id,
            dialect.locks(moves, job.id, joined=True),
            job.version == move.seen_version,
            job.stamp == move.seen_stamp,
            or_(
                and_(begins, asked[Guard.CLAIM]),
                and_(ends, RUNS),
            ),
        )
        .returning(*OUTSIDE)
    )
