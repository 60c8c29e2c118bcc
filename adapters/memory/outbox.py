"""The outbox in memory: rows by their own id, in the order in which they were written."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from attrs import frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import OutboxRow, Tables
from jobmill.application.ports.outbox import Notice, Outbox
from jobmill.domain.states import JobState, Target
from jobmill.domain.transition import Fence


@frozen(kw_only=True)
class MemoryOutbox(Outbox):
    """The notices of one in-memory database."""

    database: Database

    async def pending(
        self,
        *,
        limit: int,
        older_than: timedelta,
        without: Collection[str] = (),
        unattended: bool = False,
    ) -> Sequence[Notice]:
        """Read old rows and forget those whose job has moved on. Whoever writes here has a bus."""
        if unattended:
            return []

        def statement(tables: Tables, now: datetime) -> list[Notice]:
            return _pending(tables, limit=limit, until=now - older_than, without=without)

        return await self.database.run("outbox.pending", statement)

    async def forget(self, rows: Sequence[int]) -> None:
        """Delete by row id."""

        def statement(tables: Tables, _now: datetime) -> None:
            for row in rows:
                tables.outbox.pop(row, None)

        await self.database.run("outbox.forget", statement)

    async def announce(self, fences: Sequence[Fence], *, rows: Sequence[int]) -> Sequence[Notice | None]:
        """Write rows beside whatever rows there are."""

        def statement(tables: Tables, now: datetime) -> list[Notice | None]:
            return [_announce(tables, fence, row, now=now) for fence, row in zip(fences, rows, strict=True)]

        return await self.database.run("outbox.announce", statement)


def _pending(tables: Tables, *, limit: int, until: datetime, without: Collection[str]) -> list[Notice]:
    old = [(row, kept) for row, kept in tables.outbox.items() if kept.written_at <= until]
    notices: list[Notice] = []
    for row, kept in sorted(old, key=_age):
        job = tables.standing(kept.fence)
        if job is None:
            del tables.outbox[row]
        elif job.queue not in without:
            notices.append(Notice(row=row, job=job, target=kept.target))
        if len(notices) >= limit:
            break
    return notices


def _age(each: tuple[int, OutboxRow]) -> datetime:
    return each[1].written_at


def _announce(tables: Tables, fence: Fence, row: int, *, now: datetime) -> Notice | None:
    job = tables.standing(fence)
    if job is None or job.state is not JobState.QUEUED:
        return None
    if row not in tables.outbox:  # else this is a second try
        job = tables.jobs[job.id] = job.changed(announced_at=now, announces=job.announces + 1)
        tables.announce(row, job, Target.QUEUE, now=now)
    return Notice(row=row, job=job, target=Target.QUEUE)
