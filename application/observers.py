"""Several that hear what happened."""

from collections.abc import Sequence

from attrs import frozen

from jobmill.application.ports.observer import Observer
from jobmill.domain.job import Job
from jobmill.domain.transition import Transition


@frozen
class Observers(Observer):
    """Tells each of them, in their order."""

    each: Sequence[Observer]

    def submitted(self, jobs: Sequence[Job]) -> None:
        """See ``Observer``."""
        for observer in self.each:
            observer.submitted(jobs)

    def moved(self, transitions: Sequence[Transition]) -> None:
        """See ``Observer``."""
        for observer in self.each:
            observer.moved(transitions)

    def noted(self, event: str, **fields: object) -> None:
        """See ``Observer``."""
        for observer in self.each:
            observer.noted(event, **fields)
