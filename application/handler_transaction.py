"""The one transaction that an attempt may open, and what becomes of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any, Final

from attrs import define, field

from jobmill.application.errors import (
    LeaseLost,
    StorageUnavailable,
    StorageUnknown,
    TransactionFault,
    Unavailable,
)
from jobmill.application.lease_keeper import LeaseKeeper
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.job_repository import SaveAnswer, Saved, Stale, Unknown
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.transactions import OpenTransaction, Transactions
from jobmill.application.run import Run
from jobmill.domain.transition import Transition

#: How long the store is asked whether a commit stands at which it was cut off.
ASK_WITHIN_S: Final = 60.0
_ASK_FIRST_S: Final = 0.1
_ASK_MAX_S: Final = 2.0


class Ending(Enum):
    """What became of the commit at the end of the block."""

    COMMITTED = "the handler's writes and the success of its job stand"
    ROLLED_BACK = "nothing stands, whatever the handler makes of it"
    LOST = "nothing stands, for the job is another attempt's"
    IN_DOUBT = "nobody could be asked in time"


@define(eq=False, kw_only=True)
class HandlerTransaction:
    """The transaction of one run.

    Args:
        ending: None until the block is left cleanly; leaving it by an exception keeps it None.
        reason: why nothing stands, for a person.
    """

    _run: Run
    _transactions: Transactions
    _keeper: LeaseKeeper
    _clock: Clock
    _entropy: Entropy
    _observer: Observer
    ending: Ending | None = field(default=None, init=False)
    reason: str = field(default="", init=False)
    _is_used: bool = field(default=False, init=False)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Any]:
        """See ``JobContext.transaction``."""
        if self._is_used:
            raise TransactionFault(
                "job.transaction() was used in this attempt already; put what belongs together into one block"
            )
        self._is_used = True
        async with self._transactions.begin() as transaction:
            yield transaction.connection
            await self._commit(transaction)

    async def _commit(self, transaction: OpenTransaction) -> None:
        """Commit in a task of its own: once begun, it is not cancelled half way."""
        await self._let_interrupt_come()
        try:
            with self._run.committing():
                saving = asyncio.create_task(self._save(transaction))
                try:
                    await asyncio.shield(saving)
                except asyncio.CancelledError:
                    await asyncio.wait({saving})
                    if not saving.cancelled():
                        saving.exception()
                    raise
        finally:
            await self._let_interrupt_come()

    async def _let_interrupt_come(self) -> None:
        """Meet a cancellation that is on its way here, and not in the handler's or our own next step."""
        if self._run.interrupt is not None:
            await asyncio.sleep(0)

    async def _save(self, transaction: OpenTransaction) -> None:
        outcome = self._run.job.succeed(result=None, now=self._clock.now(), stamp=self._entropy.stamp())
        try:
            answer = await transaction.commit(outcome)
        except BaseException as error:
            self._ends(Ending.ROLLED_BACK, str(error))
            raise
        match answer:
            case Saved():
                self._stands(outcome)
            case Stale():
                self._ends(Ending.LOST, "the lease was lost")
                raise LeaseLost(self._run.job.id)
            case Unknown():
                await self._find_out(outcome)

    async def _find_out(self, outcome: Transition) -> None:
        """Learn what became of a commit at which the store was cut off."""
        match await self._asked(outcome):
            case Saved():
                self._stands(outcome)
            case Stale():
                self._ends(Ending.ROLLED_BACK, "the database was cut off at the commit, and rolled it back")
                raise StorageUnavailable(self.reason)
            case _:
                self._ends(Ending.IN_DOUBT, "the database was cut off at the commit")
                raise StorageUnknown(self.reason)

    async def _asked(self, outcome: Transition) -> SaveAnswer | None:
        loop = asyncio.get_running_loop()
        until_s, wait_s = loop.time() + ASK_WITHIN_S, _ASK_FIRST_S
        while loop.time() < until_s:
            try:
                return await self._transactions.settled(outcome)
            except Unavailable:
                await asyncio.sleep(wait_s * (0.5 + self._entropy.fraction() / 2))
                wait_s = min(2 * wait_s, _ASK_MAX_S)
        return None

    def _stands(self, outcome: Transition) -> None:
        self._run.is_committed = True
        self._ends(Ending.COMMITTED, "")
        self._keeper.forget([self._run])
        self._observer.moved([outcome])

    def _ends(self, ending: Ending, reason: str) -> None:
        self.ending, self.reason = ending, reason
