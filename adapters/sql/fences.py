"""What the statements on jobs have in common: fences handed in, locks taken in one order, time added."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CTE, BigInteger, ColumnElement, Integer, Row, Uuid, and_, type_coerce

from jobmill.adapters.sql.column_types import INSTANT
from jobmill.adapters.sql.dialect import Types
from jobmill.adapters.sql.schema import jobs
from jobmill.domain.transition import Fence

#: The columns of a fence that is handed in.
FENCE: Final[Types] = {"job_id": Uuid(), "version": Integer(), "stamp": BigInteger()}


def fence_values(fence: Fence) -> tuple[Any, ...]:
    """Return a fence as a row of ``FENCE``."""
    return (fence.job_id, fence.version, fence.stamp)


def fence_in(row: Row[Any]) -> Fence:
    """Return the fence at which a row of ``jobs`` stands."""
    return Fence(job_id=row.id, version=row.version, stamp=row.stamp)


def stands(fences: CTE) -> ColumnElement[bool]:
    """Say that the job is at the version and stamp of the fence."""
    return and_(
        jobs.c.id == fences.c.job_id, jobs.c.version == fences.c.version, jobs.c.stamp == fences.c.stamp
    )


def later(moment: ColumnElement[datetime], span: ColumnElement[Any]) -> ColumnElement[datetime]:
    """Return the moment plus a duration; null if there is none."""
    return type_coerce(moment + span, INSTANT)
