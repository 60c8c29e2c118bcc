"""The guard that keeps nobody from anything."""

from datetime import timedelta

from attrs import frozen

from jobmill.application.ports.guard import CallResult, Go, Outlook, ProviderGuard, Shut
from jobmill.application.provider_limits import ProviderLimits


@frozen
class OpenGuard(ProviderGuard):
    """Lets every call pass."""

    def declare(self, provider: str, limits: ProviderLimits) -> None:
        """Keep to no limits."""

    def outlook(self, provider: str) -> Outlook:
        """Know nothing against it."""
        return Outlook.CLEAR

    async def ask(self, provider: str, *, attempt: int) -> Go | Shut:
        """Say go."""
        return Go(provider=provider)

    async def tell(self, go: Go, result: CallResult, *, retry_after: timedelta | None = None) -> None:
        """Take note of nothing."""
