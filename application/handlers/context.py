"""What a handler is told of the attempt that it runs."""

import json
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen

from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.options import CONTROL

NOTE_CHARS_MAX: Final = 200


def _nobody(_fraction: float, _note: str | None) -> None:
    """Hear of progress, as in a unit test of a handler."""


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
    _report: Callable[[float, str | None], None] = field(default=_nobody, alias="report")
    _inherited: str | None = field(default=None, alias="inherited")

    @property
    def cancelled(self) -> bool:
        """The attempt is to end: its time is over, somebody wants the job to stop, or the worker ends.

        An async handler is cancelled then; a ``def`` in a thread has to look here from time to time.
        """
        return self._is_cancelled()

    @property
    def previous(self) -> Any:  # noqa: ANN401 - whatever another handler has returned
        """What the jobs before this one left it, as plain values; None if none had to end before it.

        Of the job that this one follows it is the result. The callback of a batch gets a dictionary: the id
        of the ``batch``, how many jobs it had (``size``), and how many of these ``succeeded``, ``failed``,
        ``expired``, were ``cancelled`` or ``discarded``, or ended so long ago that they are ``gone``.
        """
        return None if self._inherited is None else json.loads(self._inherited)

    def progress(self, fraction: float, note: str | None = None) -> None:
        """Say how far the attempt is; the newest word is kept and shown with the job.

        To be called from any thread and as often as you like: it is stored about once a second, while the
        attempt runs, and trouble with the store is none of the handler's.

        Args:
            fraction: 0 to 1.
            note: up to 200 characters, for people.

        Raises:
            InvalidInput: one of them is out of its range.
        """
        if not _is_fraction(fraction):
            raise InvalidInput(Fault(pointer="/fraction", detail="must be a number from 0 to 1"))
        if note is not None and not _is_line(note):
            wanted = f"up to {NOTE_CHARS_MAX} characters, none of them a control character"
            raise InvalidInput(Fault(pointer="/note", detail=f"must be {wanted}"))
        self._report(float(fraction), note)

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


def _is_fraction(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _is_line(note: object) -> bool:
    return isinstance(note, str) and len(note) <= NOTE_CHARS_MAX and not CONTROL.search(note)
