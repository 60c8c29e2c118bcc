"""Times that stand in ids: UUID version 7 begins with the milliseconds since 1970."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from jobmill.adapters.sql.column_types import EPOCH

_EPOCH_MS_MAX: Final = (1 << 48) - 1
_MILLISECOND: Final = timedelta(milliseconds=1)
_SPAN_MAX: Final = datetime(9999, 1, 1, tzinfo=UTC) - EPOCH


def lowest_id(moment: datetime) -> UUID:
    """Return the lowest id that can be made at a moment."""
    return UUID(int=min(max((moment - EPOCH) // _MILLISECOND, 0), _EPOCH_MS_MAX) << 80)


def made_at(job_id: UUID) -> datetime:
    """Return the moment at which an id was made, by the clock of whoever made it; up to the year 9999."""
    return EPOCH + min((job_id.int >> 80) * _MILLISECOND, _SPAN_MAX)
