"""How many calls may be under way at once, found out by how the provider bears them."""

from typing import Final

from attrs import evolve, field, frozen

from jobmill.domain.errors import Fault, InvalidInput

HIGHEST_MAX: Final = 10_000
HIGHEST: Final = 1_000
SHRINK: Final = 0.9
#: A limit far above what is in use says nothing, so the first trouble brings it down to twice that; yet not
#: below this, by one failure alone.
STEADY: Final = 20


@frozen(kw_only=True)
class ConcurrencyLimit:
    """Additive increase, multiplicative decrease, as ``AIMDLimit`` of Netflix' concurrency-limits has it.

    A failure or a refusal for want of room takes a tenth off; a success adds one, if at least half of the
    limit is in use. It begins at the highest: what nothing speaks against is not slowed down.

    Args:
        highest: it never gets above, 1 to 10,000.
        limit: as it is now, from 1 to ``highest``; its whole part counts.

    Raises:
        InvalidInput: ``highest`` is out of its range.
    """

    highest: int = HIGHEST
    limit: float = field()

    @limit.default
    def _begins_at_the_highest(self) -> float:
        return float(self.highest)

    def __attrs_post_init__(self) -> None:
        """Refuse nonsense."""
        if not 1 <= self.highest <= HIGHEST_MAX:
            raise InvalidInput(
                Fault(pointer="/concurrency", detail=f"must be a whole number from 1 to {HIGHEST_MAX:,}")
            )

    def has_room(self, in_flight: int) -> bool:
        """Say whether one more may begin beside so many."""
        return in_flight < int(self.limit)

    def bore(self, in_flight: int) -> "ConcurrencyLimit":
        """A call went well, one of ``in_flight``."""
        if 2 * in_flight < self.limit:
            return self
        return evolve(self, limit=min(self.limit + 1, float(self.highest)))

    def strained(self, in_flight: int) -> "ConcurrencyLimit":
        """A call failed, or was refused for want of room; one of ``in_flight``."""
        used = min(self.limit, float(max(2 * in_flight, STEADY)))
        return evolve(self, limit=max(1.0, used * SHRINK))
