"""Who hears what happened, to log and to count it."""

from collections.abc import Sequence
from typing import Protocol

from jobmill.domain.job import Job
from jobmill.domain.transition import Transition


class Observer(Protocol):
    """Hears of what is committed, once per process that did it. Never raises, never waits."""

    def submitted(self, jobs: Sequence[Job]) -> None:
        """New jobs were stored."""
        ...

    def moved(self, transitions: Sequence[Transition]) -> None:
        """Transitions were saved."""
        ...

    def noted(self, event: str, **fields: object) -> None:
        """Something about the machinery that an operator wants to know, such as a refused parcel."""
        ...
