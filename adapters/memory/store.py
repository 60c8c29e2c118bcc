"""One in-memory database with all its ports."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from jobmill.adapters.memory.agenda import MemoryAgenda
from jobmill.adapters.memory.barriers import MemoryBarriers
from jobmill.adapters.memory.due_jobs import MemoryDueJobs
from jobmill.adapters.memory.ended_jobs import MemoryEndedJobs
from jobmill.adapters.memory.epochs import MemoryEpochs
from jobmill.adapters.memory.finder import MemoryFinder
from jobmill.adapters.memory.jobs import MemoryJobs
from jobmill.adapters.memory.leadership import MemoryLeadership
from jobmill.adapters.memory.leases import MemoryLeases
from jobmill.adapters.memory.outbox import MemoryOutbox
from jobmill.adapters.memory.presence import MemoryPresence
from jobmill.adapters.memory.progress import MemoryProgress
from jobmill.adapters.memory.provider_states import MemoryProviderStates
from jobmill.adapters.memory.quarantine import MemoryQuarantine
from jobmill.adapters.memory.retention import MemoryRetention
from jobmill.adapters.memory.statements import Database, Faults, no_faults
from jobmill.adapters.memory.tables import Tables
from jobmill.adapters.memory.transactions import MemoryTransactions
from jobmill.adapters.memory.type_registry import MemoryTypeRegistry
from jobmill.application.ports.agenda import Agenda
from jobmill.application.ports.barriers import Barriers
from jobmill.application.ports.broker_epochs import BrokerEpochs
from jobmill.application.ports.clock import Clock
from jobmill.application.ports.due_jobs import DueJobs
from jobmill.application.ports.ended_jobs import EndedJobs
from jobmill.application.ports.job_finder import JobFinder
from jobmill.application.ports.job_repository import JobRepository
from jobmill.application.ports.leadership import Leadership
from jobmill.application.ports.leases import Leases
from jobmill.application.ports.outbox import Outbox
from jobmill.application.ports.progress import ProgressBoard
from jobmill.application.ports.provider_states import ProviderStates
from jobmill.application.ports.quarantine import Quarantine
from jobmill.application.ports.retention import RetentionSteps
from jobmill.application.ports.store import PoolUse, Store
from jobmill.application.ports.transactions import Transactions
from jobmill.application.ports.type_registry import TypeRegistry


@frozen(kw_only=True)
class MemoryStore(Store):
    """A database that ends with its process: for tests, with the very rules of the real ones.

    Args:
        clock: the clock that every statement judges by.
        faults: called around every statement, to let it fail or wait; see ``statements.Faults``.
        presence: the locks that this process holds; tests may end its connections.
        tables: the rows. Tests may look at them, and may lock a job by naming it in ``tables.locked``.
    """

    clock: Clock
    faults: Faults = no_faults
    tables: Tables = field(factory=Tables)
    presence: MemoryPresence = field(init=False)

    @presence.default
    def _presence_of_this_process(self) -> MemoryPresence:
        return MemoryPresence(database=self._database)

    @property
    def jobs(self) -> JobRepository:
        """The jobs themselves."""
        return MemoryJobs(database=self._database)

    @property
    def leases(self) -> Leases:
        """The leases on running jobs."""
        return MemoryLeases(database=self._database)

    @property
    def outbox(self) -> Outbox:
        """The notices not yet published."""
        return MemoryOutbox(database=self._database)

    @property
    def finder(self) -> JobFinder:
        """The read side."""
        return MemoryFinder(database=self._database)

    @property
    def due_jobs(self) -> DueJobs:
        """Jobs whose time has come."""
        return MemoryDueJobs(database=self._database)

    @property
    def agenda(self) -> Agenda:
        """What there is to do."""
        return MemoryAgenda(database=self._database)

    @property
    def ended_jobs(self) -> EndedJobs:
        """Jobs whose end others wait for."""
        return MemoryEndedJobs(database=self._database)

    @property
    def quarantine(self) -> Quarantine:
        """Messages that are no jobs."""
        return MemoryQuarantine(database=self._database)

    @property
    def leadership(self) -> Leadership:
        """Who leads."""
        return MemoryLeadership(database=self._database)

    @property
    def transactions(self) -> Transactions:
        """What handlers write with their outcome."""
        return MemoryTransactions(database=self._database)

    @property
    def epochs(self) -> BrokerEpochs:
        """The broker's life."""
        return MemoryEpochs(database=self._database)

    @property
    def barriers(self) -> Barriers:
        """What is known of the lanes."""
        return MemoryBarriers(database=self._database)

    @property
    def enlisting(self) -> None:
        """No one outside of this memory has a transaction here."""
        return

    @property
    def progress(self) -> ProgressBoard:
        """How far running jobs are."""
        return MemoryProgress(database=self._database)

    @property
    def retention(self) -> RetentionSteps:
        """What is kept no longer."""
        return MemoryRetention(database=self._database)

    @property
    def types(self) -> TypeRegistry:
        """Which types the processes know."""
        return MemoryTypeRegistry(database=self._database)

    @property
    def providers(self) -> ProviderStates:
        """How the providers are."""
        return MemoryProviderStates(database=self._database)

    async def check(self) -> None:
        """Run a statement that does nothing."""

        def statement(_tables: Tables, _now: datetime) -> None:
            """Find nothing to do."""

        await self._database.run("check", statement)

    async def weakness(self) -> str | None:
        """Nobody expects this memory to outlive its process."""
        return None

    def pools(self) -> Mapping[str, PoolUse]:
        """There is nothing to connect to."""
        return {}

    async def foreign_commit(self) -> None:
        """Wait for ever: no other process sees this memory."""
        await asyncio.get_running_loop().create_future()

    @property
    def _database(self) -> Database:
        return Database(clock=self.clock, faults=self.faults, tables=self.tables)
