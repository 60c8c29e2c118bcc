"""Where handlers run that must not run on the event loop."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from attrs import field, frozen

from jobmill.application.outcomes import Outcome

#: How far an attempt is, from 0 to 1, and a word on it.
Report = Callable[[float, str | None], None]


class Threads(Protocol):
    """A bounded number of threads of this process, none of which keeps it from ending."""

    @property
    def size(self) -> int:
        """How many calls may run at once, 1 or more."""
        ...

    def start(self, call: Callable[[], None]) -> "asyncio.Future[None]":
        """Run a call in a thread, or as soon as one is free.

        Args:
            call: raises nothing.

        Returns:
            What is done once the call has ended. To cancel it ends no thread.
        """
        ...


@frozen(kw_only=True)
class Errand:
    """An attempt to be run in another process: where its function is, and what it is told.

    Args:
        module: what to import.
        function: its name there.
        payload: JSON text of the newest version.
        deadline: see ``JobContext``, as are the rest.
        inherited: what jobs before it left to this one, a JSON text.
        told: of the payload, to stand beside what the handler logs.
    """

    module: str
    function: str
    payload: str
    job_id: UUID
    type: str
    attempt: int
    max_attempts: int
    idempotency_key: str
    correlation_id: str | None
    deadline: datetime
    inherited: str | None = None
    told: Mapping[str, object] = field(factory=dict)


class Processes(Protocol):
    """A bounded number of processes of this machine, which end with this one at the latest."""

    @property
    def size(self) -> int:
        """How many errands may run at once, 1 or more."""
        ...

    async def run(self, errand: Errand, *, report: Report) -> Outcome:
        """Run an errand in a process, or as soon as one is free.

        Returns or raises only when nothing of the errand runs any more. Where it is cancelled, the handler
        sees ``cancelled`` and has a short grace; an outcome within it is returned, else its process is
        killed. A process that ends by itself is a transient failure that says how it ended.

        Args:
            report: told of each ``JobContext.progress``.

        Raises:
            asyncio.CancelledError: the process was killed.
        """
        ...
