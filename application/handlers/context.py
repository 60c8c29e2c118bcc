"""What a handler is told of the attempt that it runs."""

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import field, frozen


@frozen(kw_only=True)
class JobContext:
    """What a handler may know of the attempt it runs.

    Args:
        attempt: 1 for the first.
        idempotency_key: give it to providers: one per job, another once its payload was edited.
        deadline: when the attempt is stopped, in UTC.
        log: carries the job's id, type and attempt.
    """

    job_id: UUID
    type: str
    attempt: int
    max_attempts: int
    idempotency_key: str
    correlation_id: str | None
    deadline: datetime
    log: "logging.LoggerAdapter[logging.Logger]"
    _is_cancelled: Callable[[], bool] = field(alias="is_cancelled")
    _transact: Callable[[], AbstractAsyncContextManager[Any]] = field(alias="transact")

    @property
    def cancelled(self) -> bool:
        """Somebody wants the job to stop; the handler is being cancelled."""
        return self._is_cancelled()

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """Open a transaction on Jobmill's database, in which the job succeeds: all of it or nothing.

        The block receives a SQLAlchemy ``AsyncConnection``. Leaving it cleanly commits what was written
        with it, and the job's success with a null result, in one step. After that the job is over: what the
        handler still returns or raises is noted and changes nothing. Leaving it by an exception rolls back,
        and the attempt goes on or fails as it would anyway. At most one per attempt.

        On SQLite nobody else can write meanwhile, so there the block may last 3 seconds.

        Raises:
            LeaseLost: on leaving: another attempt has the job; all is rolled back.
            TransactionFault: it was used in a way that cannot work; all is rolled back.
            Unavailable: the database cannot be reached; all is rolled back, and the attempt will be retried.
        """
        return self._transact()
