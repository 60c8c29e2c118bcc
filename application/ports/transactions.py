"""Transactions in which a handler's own writes and its job's outcome become one."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from jobmill.application.ports.job_repository import SaveAnswer
from jobmill.domain.transition import Transition


class OpenTransaction(Protocol):
    """One transaction, READ COMMITTED or stricter. The job's row is not touched before its end."""

    @property
    def connection(self) -> Any:  # noqa: ANN401
        """What the handler writes with, of the store's own kind."""
        ...

    async def commit(self, outcome: Transition) -> SaveAnswer:
        """Save the outcome, as ``JobRepository.save`` would, and commit it with all that was written.

        ``Stale``: the row has moved on, and all is rolled back. ``Unknown``: cut off at the very commit. Not
        to be cancelled.

        Raises:
            TransactionFault: the handler ended the transaction itself, or went on after one of its statements
                had failed.
            StorageUnavailable: all is rolled back, and likely to succeed another time.
        """
        ...


class Transactions(Protocol):
    """The transactions of one store. A bounded number at a time; whoever comes later waits."""

    def begin(self) -> AbstractAsyncContextManager[OpenTransaction]:
        """Open a transaction for the block; what is not committed at its end is rolled back.

        Errors of the handler's own statements are those of the store's library.

        Raises:
            StorageUnavailable: there is none now.
            TransactionFault: on leaving, where the block took longer than this store can allow.
        """
        ...

    async def settled(self, outcome: Transition) -> SaveAnswer:
        """Say after an ``Unknown`` whether the outcome stands, when no transaction can change that any more.

        Raises:
            Unavailable: that is not known yet; ask again.
        """
        ...
