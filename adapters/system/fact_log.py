"""The log: a line for every fact, and of a payload only the fields that its type names."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from attrs import frozen

from jobmill.application.log_line import pairs
from jobmill.application.ports.observer import Observer
from jobmill.domain.job import Job
from jobmill.domain.states import Fact
from jobmill.domain.transition import Transition

#: Facts that anybody who runs jobs wants to read; the others are for looking closely.
TOLD: Final = frozenset(
    {
        Fact.STARTED,
        Fact.SUCCEEDED,
        Fact.RETRY_SCHEDULED,
        Fact.DEAD_LETTERED,
        Fact.EXPIRED,
        Fact.CANCELLED,
        Fact.REQUEUED,
        Fact.HANDED_BACK,
    }
)
#: Fields that make an event of the machinery a matter of concern.
ALARMING: Final = frozenset({"error", "reason"})
_TAKEN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

_log: Final = logging.getLogger("jobmill.facts")
_NOTHING: Final[Mapping[str, object]] = {}


@frozen(kw_only=True)
class FactLog(Observer):
    """Writes what happened to the standard log, as ``event key=value …`` and as fields of the record.

    Args:
        told_of: returns what of a job's payload stands in its lines, under names that no line has already.
    """

    log: logging.Logger = _log
    told_of: Callable[[Job], Mapping[str, object]] = lambda _: _NOTHING

    def submitted(self, jobs: Sequence[Job]) -> None:
        """Write a DEBUG line for each new job."""
        if self.log.isEnabledFor(logging.DEBUG):
            for job in jobs:
                self._write(logging.DEBUG, Fact.SUBMITTED.value, self._about(job, attempt=job.attempt))

    def moved(self, transitions: Sequence[Transition]) -> None:
        """Write a line for each move: INFO for the facts in ``TOLD``, DEBUG for the others."""
        if not self.log.isEnabledFor(logging.INFO):
            return
        tells_all = self.log.isEnabledFor(logging.DEBUG)
        for transition in transitions:
            is_told = transition.fact in TOLD
            if tells_all or is_told:
                level = logging.INFO if is_told else logging.DEBUG
                self._write(level, transition.fact.value, self._of_move(transition))

    def noted(self, event: str, **fields: object) -> None:
        """Write a WARNING if the fields name an error or a reason, else an INFO."""
        level = logging.INFO if ALARMING.isdisjoint(fields) else logging.WARNING
        if self.log.isEnabledFor(level):
            self._write(level, event, fields)

    def _write(self, level: int, event: str, fields: Mapping[str, object]) -> None:
        line = f"{event} {pairs(fields)}" if fields else event
        extra = {f"{name}_" if name in _TAKEN else name: value for name, value in fields.items()}
        self.log.log(level, "%s", line, extra={**extra, "event": event})

    def _of_move(self, transition: Transition) -> dict[str, object]:
        """The attempt is the one that begins or ended, also where the move gives it back."""
        seen = transition.job if transition.fact is Fact.STARTED else transition.before
        fields = self._about(transition.job, attempt=seen.attempt)
        if transition.failure is not None:
            fields["failure"] = transition.failure.kind.value
        return fields

    def _about(self, job: Job, *, attempt: int) -> dict[str, object]:
        fields: dict[str, object] = {
            "job_id": str(job.id),
            "type": job.type,
            "attempt": attempt,
            "correlation_id": job.correlation_id,
        }
        fields.update(self.told_of(job))
        return fields
