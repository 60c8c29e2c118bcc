"""The leader's one look, in memory."""

from datetime import datetime, timedelta

from attrs import frozen

from jobmill.adapters.memory.due_jobs import is_due, next_due
from jobmill.adapters.memory.statements import Database
from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.agenda import Agenda, Errands
from jobmill.domain.states import JobState


@frozen(kw_only=True)
class MemoryAgenda(Agenda):
    """What there is to do in one in-memory database."""

    database: Database

    async def look(self, *, left_after: timedelta) -> Errands:
        """Look at every job and row."""

        def statement(tables: Tables, now: datetime) -> Errands:
            states = {job.state for job in tables.jobs.values()}
            return Errands(
                runs=JobState.PROCESSING in states,
                waits=JobState.QUEUED in states,
                is_due=any(is_due(job, now) for job in tables.jobs.values()),
                is_left=any(row.written_at <= now - left_after for row in tables.outbox.values()),
                next_due=next_due(tables, now),
            )

        return await self.database.run("agenda.look", statement)
