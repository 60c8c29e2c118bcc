"""Queues of foreign producers, and the hands of a producer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final, Protocol

from jobmill.application.ports.ingress import Ingress, IngressMessage

#: Far more than any broker takes; a test that waits so long has failed.
PATIENCE_S: Final = 20.0


class IngressWorld(Protocol):
    """What is under test, and a producer beside it."""

    @property
    def ingress(self) -> Ingress: ...

    @property
    def queue(self) -> str:
        """A queue of this test's own that does not exist yet."""
        ...

    async def send(
        self,
        body: bytes,
        *,
        message_id: str | None = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Publish into the queue; lost if there is none. Done when the broker has it."""
        ...

    async def waiting(self) -> int | None:
        """Count what is ready in the queue; None where there is none."""
        ...


async def next_of(messages: AsyncIterator[IngressMessage]) -> IngressMessage:
    """The next message."""
    async with asyncio.timeout(PATIENCE_S):
        return await anext(messages)
