"""Laws that hold for a job whatever is done to it, in whatever order."""

from datetime import timedelta
from typing import Final

from hypothesis import settings
from hypothesis.stateful import invariant

from jobmill.domain.errors import IllegalTransition
from jobmill.domain.states import TERMINAL, WAITING, JobState

from tests.property.any_order import AnyOrder
from tests.property.move_laws import check_move

#: What a job is born with, and keeps.
BIRTHRIGHT: Final = (
    "id",
    "type",
    "queue",
    "priority",
    "created_at",
    "max_attempts",
    "timeout",
    "ttl",
    "correlation_id",
    "idempotency_key",
    "tenant",
    "tags",
)


class JobLaws(AnyOrder):
    """What is true between any two moves."""

    @invariant()
    def whatever_may_come_next_is_within_the_law(self) -> None:
        for verb, decide in self.every_verb().items():
            try:
                move = decide(self.job)
            except IllegalTransition:
                continue
            check_move(verb, move, now=self.now)

    @invariant()
    def every_move_makes_the_next_version(self) -> None:
        assert self.job.version == 1 + self.moves

    @invariant()
    def attempts_are_those_started_less_those_given_back(self) -> None:
        assert self.job.attempt == self.started_and_kept

    @invariant()
    def no_more_attempts_start_than_the_job_may_have(self) -> None:
        assert 0 <= self.job.attempt <= self.job.max_attempts

    @invariant()
    def a_waiting_job_can_start_unless_it_was_asked_to_stop(self) -> None:
        if self.job.state in WAITING and not self.job.stop_asked:
            self.job.start(worker="w", lease=timedelta(seconds=15), **self.when())

    @invariant()
    def only_a_running_job_has_a_worker(self) -> None:
        assert (self.job.worker is not None) == (self.job.state is JobState.PROCESSING)
        if self.job.state is JobState.PROCESSING:
            assert self.job.attempt >= 1
            assert self.job.started_at is not None

    @invariant()
    def only_a_retrying_job_has_a_time_for_its_retry(self) -> None:
        assert (self.job.retry_at is not None) == (self.job.state is JobState.RETRYING)

    @invariant()
    def the_scheduler_looks_at_scheduled_and_retrying_jobs_only(self) -> None:
        looked_at = self.job.state in {JobState.SCHEDULED, JobState.RETRYING}
        assert (self.job.wake_at is not None) == looked_at

    @invariant()
    def a_queued_job_was_announced(self) -> None:
        assert self.job.state is not JobState.QUEUED or self.job.announced_at is not None

    @invariant()
    def a_finished_job_has_an_end_and_no_other_has(self) -> None:
        assert (self.job.finished_at is not None) == (self.job.state in TERMINAL)

    @invariant()
    def the_end_of_its_time_moves_with_a_requeue_only(self) -> None:
        assert self.job.expires_at == self.deadline
        assert (self.job.ttl is None) == (self.deadline is None)

    @invariant()
    def what_a_job_is_born_with_it_keeps(self) -> None:
        assert all(getattr(self.job, name) == getattr(self.born, name) for name in BIRTHRIGHT)


TestJobLaws = JobLaws.TestCase
TestJobLaws.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
