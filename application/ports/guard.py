"""Whether a provider may be called now, and what came of the calls."""

from datetime import timedelta
from enum import Enum
from typing import Protocol

from attrs import frozen


@frozen(kw_only=True)
class Go:
    """The call may be made now; hand this back with what came of it."""

    provider: str
    is_probe: bool = False


@frozen(kw_only=True)
class Shut:
    """The call must not be made now.

    Args:
        wait: how long at least.
        reason: for a person.
    """

    provider: str
    wait: timedelta
    reason: str


class CallResult(Enum):
    """What a call says of the provider's health."""

    SUCCEEDED = "succeeded"  # 2xx
    REFUSED = "refused"  # the provider is well and said no (4xx): counts as healthy
    BUSY = "busy"  # 429, or 503 with Retry-After
    FAILED = "failed"  # timeout, reset, garbage, 5xx


class ProviderGuard(Protocol):
    """Keeps calls away from providers that are down, or that asked to be left alone."""

    async def ask(self, provider: str, *, attempt: int) -> Go | Shut:
        """Say whether the call may be made now.

        Args:
            provider: a short stable name without secrets.
            attempt: of the job, 1 or more.
        """
        ...

    async def tell(self, go: Go, result: CallResult, *, retry_after: timedelta | None = None) -> None:
        """Hear what came of a call that was allowed; to be told once for each ``Go``."""
        ...
