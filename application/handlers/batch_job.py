"""One of the jobs that a batch handler is called with."""

from collections.abc import Callable
from typing import Generic, TypeVar

from attrs import field, frozen

from jobmill.application.handlers.context import JobContext
from jobmill.application.handlers.raising import TransientFailure
from jobmill.domain.errors import Fault, InvalidInput

P = TypeVar("P")

#: Takes the result of a job, or why it failed.
Tell = Callable[[object, BaseException | None], None]


@frozen(kw_only=True, eq=False)
class BatchJob(JobContext, Generic[P]):
    """A job among others, its payload, and the place to say what came of it.

    Until the handler has ended the last word counts; then the outcomes of all jobs are stored. A job of which
    nothing was said is tried again by the type's retry policy. There is no ``transaction()``.
    """

    payload: P
    _tell: Tell = field(alias="tell")

    def succeed(self, result: object = None) -> None:
        """Say that the job is done.

        Args:
            result: what a handler of one job would return.

        Raises:
            HandlerFault: the handler has ended already.
        """
        self._tell(result, None)

    def fail(self, error: str | BaseException) -> None:
        """Say that the attempt failed.

        Args:
            error: what a handler of one job would raise, such as a ``PermanentFailure`` or a ``RetryAfter``;
                a text says why it failed, and that it may be tried again.

        Raises:
            HandlerFault: the handler has ended already.
            InvalidInput: it is neither.
        """
        if isinstance(error, str):
            error = TransientFailure(error)
        if not isinstance(error, BaseException):
            raise InvalidInput(Fault(pointer="/error", detail="must be a text or an exception"))
        self._tell(None, error)
