"""All ports that one database serves, together."""

from collections.abc import Mapping
from typing import Protocol

from attrs import frozen

from jobmill.application.ports.agenda import Agenda
from jobmill.application.ports.barriers import Barriers
from jobmill.application.ports.broker_epochs import BrokerEpochs
from jobmill.application.ports.clock import Clock
from jobmill.application.ports.due_jobs import DueJobs
from jobmill.application.ports.ended_jobs import EndedJobs
from jobmill.application.ports.enlisting import Enlisting
from jobmill.application.ports.job_finder import JobFinder
from jobmill.application.ports.job_repository import JobRepository
from jobmill.application.ports.leadership import Leadership
from jobmill.application.ports.leases import Leases
from jobmill.application.ports.outbox import Outbox
from jobmill.application.ports.presence import Presence
from jobmill.application.ports.progress import ProgressBoard
from jobmill.application.ports.provider_states import ProviderStates
from jobmill.application.ports.quarantine import Quarantine
from jobmill.application.ports.retention import RetentionSteps
from jobmill.application.ports.transactions import Transactions
from jobmill.application.ports.type_registry import TypeRegistry


@frozen(kw_only=True)
class PoolUse:
    """How many connections a pool has at most, and how many of them are in use."""

    size: int
    in_use: int


class Store(Protocol):
    """One database, opened. ``clock`` follows the clock that its statements judge by."""

    @property
    def jobs(self) -> JobRepository: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def finder(self) -> JobFinder: ...
    @property
    def due_jobs(self) -> DueJobs: ...
    @property
    def agenda(self) -> Agenda: ...
    @property
    def ended_jobs(self) -> EndedJobs: ...
    @property
    def quarantine(self) -> Quarantine: ...
    @property
    def leadership(self) -> Leadership: ...
    @property
    def epochs(self) -> BrokerEpochs: ...
    @property
    def transactions(self) -> Transactions: ...
    @property
    def barriers(self) -> Barriers: ...
    @property
    def progress(self) -> ProgressBoard: ...
    @property
    def retention(self) -> RetentionSteps: ...
    @property
    def types(self) -> TypeRegistry: ...
    @property
    def providers(self) -> ProviderStates: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def enlisting(self) -> Enlisting | None:
        """None where nobody outside could have a transaction."""
        ...

    @property
    def presence(self) -> Presence | None:
        """None where the store has no locks that end with a connection."""
        ...

    async def check(self) -> None:
        """Ask the database for a sign of life, within a bounded time.

        Raises:
            StorageUnavailable: there is none.
            SetupFault: it answers, but a person has to mend something first.
        """
        ...

    async def weakness(self) -> str | None:
        """Say what lets commits be lost with the power, and the mend; None if nothing does.

        Raises:
            StorageUnavailable: the database cannot be asked.
        """
        ...

    def pools(self) -> Mapping[str, PoolUse]:
        """Return how far each pool of connections is used, by what it is for; none where there are none."""
        ...

    async def foreign_commit(self) -> None:
        """Return when another process may have committed, where that can be told; else wait for ever."""
        ...
