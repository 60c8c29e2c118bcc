"""The log: a line for every fact, and never a word of a payload."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

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


@frozen(kw_only=True)
class FactLog(Observer):
    """Writes what happened to the standard log, as ``event key=value …`` and as fields of the record."""

    log: logging.Logger = _log

    def submitted(self, jobs: Sequence[Job]) -> None:
        """Write a DEBUG line for each new job."""
        if self.log.isEnabledFor(logging.DEBUG):
            for job in jobs:
                self._write(logging.DEBUG, Fact.SUBMITTED.value, _about(job, attempt=job.attempt))

    def moved(self, transitions: Sequence[Transition]) -> None:
        """Write a line for each move: INFO for the facts in ``TOLD``, DEBUG for the others."""
        if not self.log.isEnabledFor(logging.INFO):
            return
        tells_all = self.log.isEnabledFor(logging.DEBUG)
        for transition in transitions:
            is_told = transition.fact in TOLD
            if tells_all or is_told:
                level = logging.INFO if is_told else logging.DEBUG
                self._write(level, transition.fact.value, _of_move(transition))

    def noted(self, event: str, **fields: object) -> None:
        """Write a WARNING if the fields name an error or a reason, else an INFO."""
        level = logging.INFO if ALARMING.isdisjoint(fields) else logging.WARNING
        if self.log.isEnabledFor(level):
            self._write(level, event, fields)

    def _write(self, level: int, event: str, fields: Mapping[str, object]) -> None:
        line = " ".join([event, *(f"{name}={_plain(value)}" for name, value in fields.items())])
        extra = {f"{name}_" if name in _TAKEN else name: value for name, value in fields.items()}
        self.log.log(level, "%s", line, extra={**extra, "event": event})


def _of_move(transition: Transition) -> dict[str, object]:
    """The attempt is the one that begins or ended, also where the move gives it back."""
    seen = transition.job if transition.fact is Fact.STARTED else transition.before
    fields = _about(transition.job, attempt=seen.attempt)
    if transition.failure is not None:
        fields["failure"] = transition.failure.kind.value
    return fields


def _about(job: Job, *, attempt: int) -> dict[str, object]:
    return {
        "job_id": str(job.id),
        "type": job.type,
        "attempt": attempt,
        "correlation_id": job.correlation_id,
    }


def _plain(value: object) -> str:
    """One word as it is; anything that would blur the line, or break it, in quotes with escapes."""
    text = "-" if value is None else str(value)
    is_word = text.isprintable() and text != "" and not any(mark in text for mark in " =\"'")
    return text if is_word else repr(text)
