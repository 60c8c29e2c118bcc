"""At which points of which jobs a worker shall die."""

from collections.abc import Sequence
from typing import Final, Literal, get_args

from attrs import define, field

from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.job import Job

#: Claimed and the handler not begun; the handler has ended and its outcome is not saved; the outcome is saved
#: and the message not acknowledged.
CrashPoint = Literal["claim", "effect", "commit"]
_POINTS: Final = get_args(CrashPoint)


@define(eq=False, kw_only=True)
class PlannedCrash:
    """One death: at the first job of the type whose attempt of this number comes to the point."""

    type: str
    after: CrashPoint
    attempt: int
    has_fired: bool = False

    def __str__(self) -> str:
        """Return the plan as it was written."""
        return f"crash({self.type!r}, after={self.after!r}, attempt={self.attempt})"


@define(eq=False)
class CrashPlan:
    """All planned deaths."""

    _crashes: list[PlannedCrash] = field(factory=list)

    def add(self, type: str, *, after: CrashPoint, attempt: int) -> None:  # noqa: A002 - as the job calls it
        """Plan a death.

        Raises:
            InvalidInput: there is no such point, or no such attempt.
        """
        if after not in _POINTS:
            points = ", ".join(map(repr, _POINTS))
            raise InvalidInput(Fault(pointer="/after", detail=f"must be one of {points}, not {after!r}"))
        if attempt < 1:
            raise InvalidInput(Fault(pointer="/attempt", detail=f"must be 1 or more, not {attempt}"))
        self._crashes.append(PlannedCrash(type=type, after=after, attempt=attempt))

    def fires(self, point: CrashPoint, job: Job) -> PlannedCrash | None:
        """Return the death that is planned for here, once."""
        for each in self._crashes:
            if not each.has_fired and (each.type, each.after, each.attempt) == (job.type, point, job.attempt):
                each.has_fired = True
                return each
        return None

    @property
    def not_reached(self) -> Sequence[PlannedCrash]:
        """Deaths that have not come."""
        return [each for each in self._crashes if not each.has_fired]
