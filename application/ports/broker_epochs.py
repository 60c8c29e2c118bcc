"""What the store knows of the broker's life, so that a broker that lost everything can be refilled."""

from collections.abc import Sequence
from typing import Protocol

from attrs import frozen


@frozen(kw_only=True)
class EpochRecord:
    """The id that the broker must show too, and whether a refill is under way."""

    epoch: str | None
    refilling: bool


class BrokerEpochs(Protocol):
    """Errors as in ``JobRepository``."""

    async def current(self) -> EpochRecord:
        """Return the record; no epoch before the first start."""
        ...

    async def begin(self, epoch: str) -> None:
        """Note a new epoch and that a refill from the first job on is under way.

        Barriers of the old one went with it, and are forgotten.
        """
        ...

    async def refill(self, rows: Sequence[int]) -> int:
        """Write outbox rows for the next queued jobs without one, up to ``len(rows)`` jobs looked at.

        Rows and the cursor move in one transaction, and the jobs are announced as of now: a barrier judges
        them by the new notice. ``announces`` is left alone. Returns how many jobs were looked at; fewer than
        ``len(rows)`` means the end was reached.
        """
        ...

    async def finish(self, epoch: str) -> None:
        """Note that the refill of this epoch is complete."""
        ...
