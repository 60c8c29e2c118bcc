"""What a process says, kept for those who look."""

from collections.abc import Sequence

from attrs import define, field

from jobmill.application.ports.observer import Observer
from jobmill.domain.job import Job
from jobmill.domain.states import Fact
from jobmill.domain.transition import Transition


@define
class Notes(Observer):
    """Everything a process said, in order."""

    facts: list[Fact] = field(factory=list)
    events: list[tuple[str, dict[str, object]]] = field(factory=list)

    def submitted(self, jobs: Sequence[Job]) -> None:
        self.facts += [Fact.SUBMITTED for _ in jobs]

    def moved(self, transitions: Sequence[Transition]) -> None:
        self.facts += [move.fact for move in transitions]

    def noted(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    @property
    def names(self) -> list[str]:
        """The events without their fields."""
        return [name for name, _ in self.events]
