"""Which jobs of a day stay when it goes, and the end of its table."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from jobmill.adapters.sql.partitions import GONE, Partition, move
from jobmill.adapters.sql.schema import gone_ids
from jobmill.domain.states import JobState

#: Nobody moves a job out of one of these.
_FINAL: Final = frozenset({JobState.SUCCEEDED, JobState.DISCARDED})
_FIRST, _LAST = (
    text(f"SELECT id FROM {GONE} ORDER BY id {order} LIMIT 1")  # noqa: S608 - our own words
    for order in ("ASC", "DESC")
)


@frozen(kw_only=True, slots=False)
class Farewell:
    """Parting with a day.

    Args:
        now: the database's time.
        keep: how long jobs are kept, by the state they ended in.
    """

    now: datetime
    keep: Mapping[JobState, timedelta]

    async def staying(self, connection: AsyncConnection, day: Partition, limit: int) -> Sequence[UUID]:
        """Return jobs of a day that are not past, up to a number."""
        words, values = self._stays
        of_the_day = "job.id >= :start AND job.id < :end"
        found = text(f"SELECT id FROM jobs AS job WHERE {of_the_day} AND ({words}) LIMIT :some")  # noqa: S608 - our own words
        bound = {**values, "start": day.start, "end": day.end, "some": limit}
        return (await connection.execute(found, bound)).scalars().all()

    async def move_back(self, connection: AsyncConnection, stay: Sequence[UUID], target: str) -> None:
        """Move those who stay from the table that goes, and who has been moved since they were found."""
        words, values = self._stays
        movable = [state.value for state in JobState if state not in _FINAL]
        which = f"id = ANY(:stay) OR (state = ANY(:movable) AND ({words}))"
        await move(
            connection, f"{GONE} AS job", target, which, {**values, "stay": list(stay), "movable": movable}
        )

    async def has_begun(self, connection: AsyncConnection) -> bool:
        """There is a table that goes."""
        return bool((await connection.execute(select(func.to_regclass(GONE).is_not(None)))).scalar())

    async def end(self, connection: AsyncConnection) -> None:
        """Drop the table. What came and ended there in between, by a wrong clock, finds its place again."""
        words, values = self._stays
        await connection.execute(text("LOCK TABLE gone_ids IN SHARE ROW EXCLUSIVE MODE"))
        if not await self.has_begun(connection):
            return  # another leader was here
        await move(connection, f"{GONE} AS job", "jobs", words, values)
        first, last = [(await connection.execute(each)).scalar() for each in (_FIRST, _LAST)]
        if first is not None and last is not None:
            beyond = UUID(int=last.int + 1)
            await connection.execute(
                insert(gone_ids).values(from_id=first, to_id=beyond).on_conflict_do_nothing()
            )
        await connection.execute(text(f"DROP TABLE {GONE}"))

    @cached_property
    def _stays(self) -> tuple[str, Mapping[str, Any]]:
        """The words that say of a row ``job`` that it is not past, and the values that they name."""
        words: list[str] = []
        values: dict[str, Any] = {}
        for at, (state, span) in enumerate(self.keep.items()):
            words.append(f"(job.state = :state_{at} AND job.finished_at < :before_{at})")
            values |= {f"state_{at}": state.value, f"before_{at}": self.now - span}
        held = "SELECT FROM job_keys WHERE job_id = job.id AND expires_at > statement_timestamp()"
        return f"({' OR '.join(words)}) IS NOT TRUE OR EXISTS ({held})", values
