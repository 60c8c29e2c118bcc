"""Times that stand in ids: UUID version 7 begins with the milliseconds since 1970."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from jobmill.adapters.sql.column_types import EPOCH

_EPOCH_MS_MAX: Final = (1 << 48) - 1
_MILLISECOND: Final = timedelta(milliseconds=1)


def lowest_id(moment: datetime) -> UUID:
    """Return the lowest id that can be made at a moment."""
    return UUID(int=min(max((moment - EPOCH) // _MILLISECOND, 0), _EPOCH_MS_MAX) << 80)


def made_at(job_id: UUID) -> datetime:
    """Return the moment at which an id was made, by the clock of whoever made it; from 1970 to 9999."""
    milliseconds = job_id.int >> 80
    return EPOCH + min(timedelta(milliseconds=milliseconds), datetime.max.replace(tzinfo=EPOCH.tzinfo) - EPOCH)
