"""The broker's life, as an in-memory database knows it."""

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import EpochRow, Tables
from jobmill.application.ports.broker_epochs import BrokerEpochs, EpochRecord
from jobmill.domain.states import JobState, Target


@frozen(kw_only=True)
class MemoryEpochs(BrokerEpochs):
    """The epoch record and the refill of one in-memory database."""

    database: Database

    async def current(self) -> EpochRecord:
        """Read the record."""
        return await self.database.run(
            "epochs.current",
            lambda tables, _now: EpochRecord(epoch=tables.epoch.epoch, refilling=tables.epoch.refilling),
        )

    async def begin(self, epoch: str) -> None:
        """Start over at the first job."""

        def statement(tables: Tables, _now: datetime) -> None:
            tables.epoch = EpochRow(epoch=epoch, refilling=True)
            tables.barriers.clear()

        await self.database.run("epochs.begin", statement)

    async def refill(self, rows: Sequence[int]) -> int:
        """Go on behind the cursor, in the order of ids."""

        def statement(tables: Tables, now: datetime) -> int:
            return _refill(tables, rows, now=now)

        return await self.database.run("epochs.refill", statement)

    async def finish(self, epoch: str) -> None:
        """Close the refill, if it is still this one."""

        def statement(tables: Tables, _now: datetime) -> None:
            if tables.epoch.epoch == epoch:
                tables.epoch.refilling = False

        await self.database.run("epochs.finish", statement)


def _refill(tables: Tables, rows: Sequence[int], *, now: datetime) -> int:
    cursor = tables.epoch.cursor
    queued = (job for job in tables.jobs.values() if job.state is JobState.QUEUED)
    ahead = sorted((job for job in queued if cursor is None or job.id > cursor), key=lambda job: job.id)
    looked_at = ahead[: len(rows)]
    announced = {row.fence for row in tables.outbox.values()}
    for row, job in zip(rows, looked_at, strict=False):
        if job.fence not in announced:
            # Its notice starts from here, so that a barrier sent earlier does not take it for lost.
            tables.jobs[job.id] = job.changed(announced_at=now)
            tables.announce(row, job, Target.QUEUE, now=now)
    if looked_at:
        tables.epoch.cursor = looked_at[-1].id
    return len(looked_at)
