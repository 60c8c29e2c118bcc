"""What happened when, and how often: told at once, written out only when a person asks."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from attrs import define, field

from jobmill.domain.states import Fact
from jobmill.domain.transition import Transition

from tests.nodes import Notes


@define(eq=False)
class Trace:
    """The lines of one run, each with its virtual time, and a count of what may be missed by nobody."""

    lines: list[tuple[float, str, tuple[object, ...]]] = field(factory=list)
    seen: Counter[str] = field(factory=Counter)
    #: Jobs of which the store refused a move; the row is as it was, and nobody tells them again.
    refused: set[object] = field(factory=set)

    def tell(self, who: str, *words: object) -> None:
        """Add a line. Words are made texts when they are read."""
        self.lines.append((asyncio.get_running_loop().time(), who, words))

    def saw(self, event: str) -> None:
        """Count an event that has to happen now and then, or the adversary has become tame."""
        self.seen[event] += 1

    def written(self) -> list[str]:
        """Return the lines for people: time, who, what."""
        return [f"{at:9.3f}  {who:<9} {' '.join(map(str, words))}" for at, who, words in self.lines]


@define(kw_only=True)
class Told(Notes):
    """What a process says goes into the trace, and is counted."""

    trace: Trace
    who: str

    def moved(self, transitions: Sequence[Transition]) -> None:
        for move in transitions:
            self.trace.saw(f"fact: {move.fact.value}")

    def noted(self, event: str, **fields: object) -> None:
        self.trace.saw(f"said: {event}")
        self.trace.tell(self.who, f"says: {event}", *(f"{name}={value}" for name, value in fields.items()))
        if event == "transition refused by the store":
            self.trace.refused.add(fields["job_id"])
        if "fault of ours" in event:
            self.events.append((event, fields))

    @property
    def count_submitted(self) -> int:
        """How many jobs it stored."""
        return self.facts.count(Fact.SUBMITTED)
