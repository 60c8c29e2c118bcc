"""Rates that are kept, by this process alone or by several together."""

from datetime import timedelta
from typing import Protocol

from jobmill.domain.token_bucket import RateLimit


class TokenBuckets(Protocol):
    """A bucket for each name, as ``TokenBucket`` says. Every method raises ``Unavailable``."""

    async def take(self, name: str, limit: RateLimit) -> timedelta:
        """Take a token: nothing to wait for if there was one, else how long at least until there is."""
        ...

    async def close(self, name: str, span: timedelta) -> None:
        """Give nobody a token for so long; a longer closing that is under way stands."""
        ...
