"""Progress in memory."""

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.storable import check_report
from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.progress import Progress, ProgressBoard, ProgressReport
from jobmill.domain.states import JobState


@frozen(kw_only=True)
class MemoryProgress(ProgressBoard):
    """What the running jobs of one in-memory database say of themselves."""

    database: Database

    async def write(self, reports: Sequence[ProgressReport]) -> None:
        """Replace what stands there, where the run still has its job."""

        def statement(tables: Tables, now: datetime) -> None:
            for report in reports:
                check_report(report)
            for report in reports:
                job = tables.standing(report.fence)
                if job is not None and job.state is JobState.PROCESSING:
                    tables.progress[job.id] = Progress(
                        fraction=report.fraction, note=report.note, attempt=report.attempt, at=now
                    )

        await self.database.run("progress.write", statement)
