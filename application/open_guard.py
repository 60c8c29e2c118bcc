"""The guard that keeps nobody from anything."""

from datetime import timedelta

from attrs import frozen

from jobmill.application.ports.guard import CallResult, Go, ProviderGuard, Shut


@frozen
class OpenGuard(ProviderGuard):
    """Lets every call pass."""

    async def ask(self, provider: str, *, attempt: int) -> Go | Shut:
        """Say go."""
        return Go(provider=provider)

    async def tell(self, go: Go, result: CallResult, *, retry_after: timedelta | None = None) -> None:
        """Take note of nothing."""
