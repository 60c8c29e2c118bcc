"""One SQL database, opened for everything that Jobmill keeps in it."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from attrs import frozen
from sqlalchemy import text

from jobmill.adapters.sql.address import Address
from jobmill.adapters.sql.agenda import SqlAgenda
from jobmill.adapters.sql.barriers import SqlBarriers
from jobmill.adapters.sql.clock import DatabaseClock
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.due_jobs import SqlDueJobs
from jobmill.adapters.sql.durability import weakness_of
from jobmill.adapters.sql.ended_jobs import SqlEndedJobs
from jobmill.adapters.sql.enlisting import SqlEnlisting
from jobmill.adapters.sql.epochs import SqlEpochs
from jobmill.adapters.sql.faults import MEND
from jobmill.adapters.sql.finder import SqlFinder
from jobmill.adapters.sql.jobs import SqlJobs
from jobmill.adapters.sql.leadership import SqlLeadership
from jobmill.adapters.sql.leases import SqlLeases
from jobmill.adapters.sql.limits import Limits
from jobmill.adapters.sql.outbox import SqlOutbox
from jobmill.adapters.sql.postgres import open_postgres
from jobmill.adapters.sql.presence import PostgresPresence
from jobmill.adapters.sql.progress import SqlProgress
from jobmill.adapters.sql.provider_states import SqlProviderStates
from jobmill.adapters.sql.quarantine import SqlQuarantine
from jobmill.adapters.sql.retention import SqlRetention
from jobmill.adapters.sql.schema import REVISION, REVISION_TABLE
from jobmill.adapters.sql.sqlite import ForeignCommits, open_sqlite
from jobmill.adapters.sql.timekeeping import first_guess, keep_time
from jobmill.adapters.sql.transactions import SqlTransactions
from jobmill.adapters.sql.type_registry import SqlTypeRegistry
from jobmill.application.errors import SetupFault
from jobmill.application.ports.store import PoolUse, Store


@frozen(kw_only=True)
class SqlStore(Store):
    """The ports of one database; see ``Store``."""

    jobs: SqlJobs
    leases: SqlLeases
    outbox: SqlOutbox
    finder: SqlFinder
    due_jobs: SqlDueJobs
    agenda: SqlAgenda
    ended_jobs: SqlEndedJobs
    quarantine: SqlQuarantine
    leadership: SqlLeadership
    epochs: SqlEpochs
    transactions: SqlTransactions
    barriers: SqlBarriers
    enlisting: SqlEnlisting
    progress: SqlProgress
    retention: SqlRetention
    types: SqlTypeRegistry
    providers: SqlProviderStates
    clock: DatabaseClock
    presence: PostgresPresence | None
    _database: Database
    _foreign: ForeignCommits | None

    @classmethod
    def on(
        cls,
        database: Database,
        clock: DatabaseClock,
        foreign: ForeignCommits | None,
        presence: PostgresPresence | None,
        *,
        attended: bool = True,
    ) -> "SqlStore":
        """Build all ports on one database; see ``open_sql_store``."""
        return cls(
            jobs=SqlJobs.on(database, attended=attended),
            leases=SqlLeases.on(database),
            outbox=SqlOutbox.on(database),
            finder=SqlFinder(database=database),
            due_jobs=SqlDueJobs(database=database),
            agenda=SqlAgenda.on(database),
            ended_jobs=SqlEndedJobs.on(database),
            quarantine=SqlQuarantine(database=database),
            leadership=SqlLeadership.on(database),
            epochs=SqlEpochs.on(database),
            transactions=SqlTransactions.on(database),
            barriers=SqlBarriers.on(database),
            enlisting=SqlEnlisting.on(database),
            progress=SqlProgress.on(database),
            retention=SqlRetention.on(database),
            types=SqlTypeRegistry.on(database),
            providers=SqlProviderStates(database=database),
            clock=clock,
            presence=presence,
            database=database,
            foreign=foreign,
        )

    async def check(self) -> None:
        """See ``Store``."""
        rows = await self._database.read(text(f"SELECT version_num FROM {REVISION_TABLE}"))  # noqa: S608 (ours)
        found = int(rows[0][0]) if rows else 0
        place = f"the database {self._database.address} is at revision {found:04}"
        if found < REVISION:
            raise SetupFault(f"{place} and this Jobmill needs {REVISION:04}; {MEND}")
        if found > REVISION:
            raise SetupFault(f"{place} and this Jobmill knows only {REVISION:04}; install the newer Jobmill")

    async def weakness(self) -> str | None:
        """See ``Store``."""
        return await weakness_of(self._database)

    def pools(self) -> Mapping[str, PoolUse]:
        """See ``Store``."""
        return self._database.use()

    async def foreign_commit(self) -> None:
        """See ``Store``. PostgreSQL does not tell, so there the wait has no end."""
        if self._foreign is None:
            await asyncio.Event().wait()
        else:
            await self._foreign.next()


@asynccontextmanager
async def open_sql_store(
    url: str,
    *,
    pool_size: int = 10,
    pool_wait_s: float = 5.0,
    statement_timeout_s: float = 30.0,
    lock_timeout_s: float = 5.0,
    attended: bool = True,
) -> AsyncGenerator[SqlStore]:
    """Open a database, whether or not it can be reached now: the first call that needs it will tell.

    Args:
        url: ``postgresql://user@host/name`` or ``sqlite:///path``.
        pool_size: connections at most, 2 or more.
        pool_wait_s: how long a call waits for a connection before it is ``StorageUnavailable``.
        statement_timeout_s: how long one statement may take, above 0.
        lock_timeout_s: how long a statement may wait for a lock.
        attended: whoever stores jobs here publishes their notices too; False where the leader alone will.

    Raises:
        SetupFault: the URL names no database that we know.
    """
    limits = Limits(
        pool_size=pool_size,
        pool_wait_s=pool_wait_s,
        statement_timeout_s=statement_timeout_s,
        lock_timeout_s=lock_timeout_s,
    )
    address = Address.parse(url)
    clock = first_guess()
    foreign = presence = None
    if address.file is None:
        database, presence = open_postgres(address, limits), PostgresPresence.at(address, limits)
    else:
        database = open_sqlite(address, limits, clock)
        foreign = ForeignCommits(database=database)
    try:
        async with keep_time(clock, database):
            if foreign is not None:
                await foreign.look()
            yield SqlStore.on(database, clock, foreign, presence, attended=attended)
    finally:
        await database.close()
