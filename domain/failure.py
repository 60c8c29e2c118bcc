"""Why an attempt did not succeed."""

from datetime import timedelta
from enum import Enum
from typing import Final

from attrs import field, frozen

ERROR_CHARS_MAX: Final = 2_000
STACK_CHARS_MAX: Final = 16_384


class FailureKind(Enum):
    """The classes of failure; the policy treats them differently."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    RETRY_AFTER = "retry-after"
    TIMEOUT = "timeout"
    WORKER_LOST = "worker-lost"
    UNDELIVERABLE = "undeliverable"


def _storable(text: str) -> str:
    """Replace what no database text can hold: NUL and halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")


def _message(text: str) -> str:
    text = _storable(text)
    return text if len(text) <= ERROR_CHARS_MAX else text[: ERROR_CHARS_MAX - 1] + "…"


def _stack(text: str | None) -> str | None:
    """Keep the end: the innermost frame and the error itself stand there."""
    if text is None:
        return None
    text = _storable(text)
    return text if len(text) <= STACK_CHARS_MAX else "…" + text[1 - STACK_CHARS_MAX :]


@frozen(kw_only=True)
class Failure:
    """One failed attempt.

    Args:
        kind: how to go on.
        message: what went wrong, for a person; cut at 2,000 characters.
        stack: the traceback, if there is one; cut at 16,384 characters.
        retry_after: for ``RETRY_AFTER``, how long to wait instead of the policy's delay.
    """

    kind: FailureKind
    message: str = field(converter=_message)
    stack: str | None = field(default=None, converter=_stack)
    retry_after: timedelta | None = None

    @property
    def is_final(self) -> bool:
        """No further attempt can help."""
        return self.kind in {FailureKind.PERMANENT, FailureKind.UNDELIVERABLE}


WORKER_LOST: Final = Failure(kind=FailureKind.WORKER_LOST, message="the worker stopped renewing its lease")
WORKER_DEAD: Final = Failure(kind=FailureKind.WORKER_LOST, message="the worker's process ended")
UNDELIVERABLE: Final = Failure(
    kind=FailureKind.UNDELIVERABLE, message="announced again and again without ever being started"
)
