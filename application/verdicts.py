"""What an error of a handler means for its attempt, and what an interruption does."""

import traceback
from typing import Final

from jobmill.application.codec.payload_schema import UnencodableResult
from jobmill.application.errors import InvalidPayload
from jobmill.application.handlers.raising import PermanentFailure, ProviderAway, RetryAfter, TransientFailure
from jobmill.application.outcomes import Dropped, Outcome, Postponed, Stopped
from jobmill.application.run import Interrupt, Run
from jobmill.domain.failure import Failure, FailureKind

#: A handler's result as JSON text.
RESULT_BYTES_MAX: Final = 10 * 1024
_STACK_FRAMES_MAX: Final = 50


def verdict_on(error: BaseException) -> Failure | Postponed:
    """Return what is to be done after a handler, or the reading of its payload, raised this."""
    match error:
        case InvalidPayload() | UnencodableResult() | PermanentFailure():
            return _failure(FailureKind.PERMANENT, error)
        case ProviderAway():
            return Postponed(wait=error.when, reason=error.reason, is_excused=True)
        case RetryAfter(counts=False):
            return Postponed(wait=error.when, reason=error.reason)
        case RetryAfter():
            return Failure(kind=FailureKind.RETRY_AFTER, message=error.reason, retry_after=error.when)
        case _:
            return _failure(FailureKind.TRANSIENT, error)


def not_begun(reason: Interrupt) -> Outcome:
    """Give the attempt back; where the lease is over as well, the store refuses that."""
    return Postponed(wait=None, reason=f"claimed and not begun: {reason.value}")


def interrupted(run: Run) -> Outcome:
    """Return what a handler's end by cancellation means."""
    match run.interrupt:
        case Interrupt.TIMEOUT:
            limit = f"took longer than its timeout of {run.job.timeout.total_seconds():g} s"
            return Failure(kind=FailureKind.TIMEOUT, message=limit)
        case Interrupt.STOP_ASKED:
            return Stopped()
        case Interrupt.SHUTDOWN:
            return Postponed(wait=None, reason="the worker shut down")
        case Interrupt.PRESENCE_LOST:
            return Postponed(wait=None, reason="the worker lost the lock that shows it alive")
        case Interrupt.LEASE_LOST:
            return Dropped()
        case None:
            return Failure(kind=FailureKind.TRANSIENT, message="the handler cancelled itself")


def _failure(kind: FailureKind, error: BaseException) -> Failure:
    lines = traceback.format_exception(error, limit=-_STACK_FRAMES_MAX)  # the innermost
    text = _text_of(error)
    message = text or type(error).__name__
    if kind is FailureKind.TRANSIENT and text and not isinstance(error, TransientFailure):
        message = f"{type(error).__name__}: {text}"
    return Failure(kind=kind, message=message, stack="".join(lines))


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an error whose own text cannot be told is an outcome like any other
        return ""
