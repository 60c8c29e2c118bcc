"""What all processes know together of the providers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from attrs import field, frozen

from jobmill.domain.circuit_breaker import Breaker

#: So many providers are looked at, by name.
PROVIDERS_MAX: Final = 1_000
#: Characters of a provider's name.
NAME_CHARS_MAX: Final = 200


@frozen(kw_only=True)
class ProviderRecord:
    """A provider as it is stored.

    Args:
        limits: what it is protected by, for people to read.
        version: of the record that was read; 0 for one that is not stored.
        changed_at: by the store's time; None in what is to be stored.
    """

    provider: str
    breaker: Breaker
    limits: Mapping[str, str | int | float | None] = field(factory=dict)
    version: int = 0
    changed_at: datetime | None = field(default=None, eq=False)


class ProviderStates(Protocol):
    """Every method raises ``Unavailable`` as ``JobRepository`` says; all but ``save`` may be repeated."""

    async def look(self, providers: Sequence[str] | None = None) -> Sequence[ProviderRecord]:
        """Return the records of these providers, or of all, by name, at most ``PROVIDERS_MAX``."""
        ...

    async def save(self, records: Sequence[ProviderRecord]) -> Sequence[bool]:
        """Store each record if the one that is stored still has its version; it gets the next one.

        Returns:
            At each place whether it was stored; if not, somebody else was first.
        """
        ...

    async def forget(self, *, unchanged_for: timedelta, limit: int) -> int:
        """Drop records that nobody changed for so long, at most ``limit``; return how many."""
        ...
