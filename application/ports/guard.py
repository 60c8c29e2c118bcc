"""What stands before every call to a provider: may it be made now, and what came of it."""

from datetime import timedelta
from enum import Enum
from typing import Protocol

from attrs import frozen

from jobmill.application.provider_limits import ProviderLimits


@frozen(kw_only=True)
class Go:
    """The call may be made now; hand this back with what came of it.

    Args:
        is_probe: on its outcome depends whether the provider is called again at all.
        ticket: by which the guard knows the call again.
    """

    provider: str
    is_probe: bool = False
    ticket: int = 0


@frozen(kw_only=True)
class Shut:
    """The call must not be made now.

    Args:
        wait: how long at least.
        reason: for a person, as in "breaker of sms:twilio is open until …".
        is_open: the breaker is why, so the provider is taken to be down; else it is asked for too much.
    """

    provider: str
    wait: timedelta
    reason: str
    is_open: bool = False


class Outlook(Enum):
    """What somebody who asked for a call now would hear, as far as is known in this process."""

    CLEAR = "clear"  # nothing is known against it
    TRIAL = "trial"  # one call may be made, to find out whether the provider is back
    SHUT = "shut"  # the breaker is open, or the provider asked for a pause


class CallResult(Enum):
    """What came of a call."""

    SUCCEEDED = "succeeded"  # 2xx
    REFUSED = "refused"  # the provider is well and said no (4xx): counts as healthy
    BUSY = "busy"  # 429, or 503 with Retry-After
    FAILED = "failed"  # timeout, reset, garbage, 5xx


class ProviderGuard(Protocol):
    """Asked before each call and told after it. No method raises, and each takes a bounded time.

    A provider is known by a short stable name without secrets, as in ``sms:twilio`` or ``email:host:587``.
    """

    def declare(self, provider: str, limits: ProviderLimits) -> None:
        """Set the limits of a provider, before or after it is first asked for."""
        ...

    def outlook(self, provider: str) -> Outlook:
        """Look at a provider without asking for a call; costs nothing, and is asked again and again."""
        ...

    async def ask(self, provider: str, *, attempt: int) -> Go | Shut:
        """Ask for a call.

        Args:
            attempt: which attempt of the job it belongs to, 1 for the first: retries have a budget.
        """
        ...

    async def tell(self, go: Go, result: CallResult, *, retry_after: timedelta | None = None) -> None:
        """Say what came of a call. A call of which nothing is told counts as ended after two minutes.

        Args:
            retry_after: how long the provider wants to be left alone, if it said so.
        """
        ...
