"""Messages that are not ours to run, kept with their reason until a person looks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from attrs import frozen


@frozen(kw_only=True)
class ForeignMessage:
    """A message that could not be understood, as it came.

    Args:
        source: the queue it came from.
        reason: what is wrong with it.
        headers: as text, whatever they were.
    """

    id: UUID
    received_at: datetime
    source: str
    reason: str
    content_type: str | None
    headers: Mapping[str, str]
    body: bytes


class Quarantine(Protocol):
    """Errors as in ``JobRepository``; keeping the same id twice is harmless."""

    async def keep(self, messages: Sequence[ForeignMessage]) -> None:
        """Store messages; when this returns they are safe."""
        ...

    async def page(self, *, limit: int, before: UUID | None = None) -> Sequence[ForeignMessage]:
        """Return messages, newest first, from below the id ``before``."""
        ...

    async def get(self, message_id: UUID) -> ForeignMessage | None:
        """Return one message, None if there is none."""
        ...

    async def drop(self, message_id: UUID) -> bool:
        """Delete one message; False if there is none."""
        ...
