"""Jobs for tests: each builder asks for what matters to the test and makes up the rest."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from attrs import evolve

from jobmill.adapters.system import SystemEntropy
from jobmill.domain.failure import Failure, FailureKind
from jobmill.domain.job import Job
from jobmill.domain.job_type import TypeRules
from jobmill.domain.options import JobOptions
from jobmill.domain.retry_policy import RetryPolicy
from jobmill.domain.states import JobState
from jobmill.domain.transition import Transition

#: The time at which a job is made unless the test says otherwise.
NOW: Final = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

#: Without jitter, so that a test can name the delay: 2 s, 4 s, 8 s …
STEADY: Final = RetryPolicy(jitter=0.0)

_chance: Final = SystemEntropy()


def an_id() -> UUID:
    """A new id, above every earlier one."""
    return _chance.job_id()


def an_id_made(at: datetime) -> UUID:
    """A new id that tells this time as the time of its making; a real job's is that of ``created_at``."""
    return SystemEntropy(milliseconds=lambda: int(at.timestamp() * 1000)).job_id()


def a_stamp() -> int:
    """A stamp that no other save has."""
    return _chance.stamp()


def stamps(count: int) -> Sequence[int]:
    """Several of them."""
    return [a_stamp() for _ in range(count)]


def a_job(*, now: datetime = NOW, **facts: Any) -> Job:
    """A queued job, just submitted, with whatever columns the test names."""
    queued = Job.submit(
        TypeRules(name="email"), JobOptions(), '{"to":"ada"}', job_id=an_id(), now=now, stamp=a_stamp()
    )
    return evolve(queued, **facts)


def a_submitted_job(*, now: datetime = NOW, rules: TypeRules | None = None, **wishes: Any) -> Job:
    """A job as a client gets it who asks for ``wishes``, the fields of ``JobOptions``."""
    return Job.submit(
        rules or TypeRules(name="email"),
        JobOptions(**wishes),
        '{"to":"ada"}',
        job_id=an_id(),
        now=now,
        stamp=a_stamp(),
    )


def a_running_job(*, worker: str = "worker-1", attempt: int = 1, now: datetime = NOW, **facts: Any) -> Job:
    """A job in the hands of ``worker``."""
    return a_job_that_is(JobState.PROCESSING, worker=worker, attempt=attempt, now=now, **facts)


def a_job_that_is(state: JobState, *, now: datetime = NOW, **facts: Any) -> Job:
    """A job in ``state`` with the columns that a job in this state has."""
    return a_job(now=now, state=state, **(_columns(state, now) | facts))


def a_failure(kind: FailureKind = FailureKind.TRANSIENT, **facts: Any) -> Failure:
    """A failed attempt."""
    return Failure(kind=kind, message="connection refused", **facts)


def started(
    job: Job, *, worker: str = "worker-1", lease: timedelta = HOUR, now: datetime = NOW
) -> Transition:
    """The claim of a waiting job."""
    return job.start(worker=worker, lease=lease, now=now, stamp=a_stamp())


def succeeded(job: Job, *, result: str | None = None, now: datetime = NOW) -> Transition:
    """The good end of a running job."""
    return job.succeed(result=result, now=now, stamp=a_stamp())


def failed(
    job: Job, failure: Failure | None = None, *, policy: RetryPolicy = STEADY, now: datetime = NOW
) -> Transition:
    """The bad end of an attempt, by default one that may be tried again."""
    return job.fail(failure or a_failure(), policy=policy, now=now, stamp=a_stamp(), fraction=0.0)


def lapsed(job: Job, *, policy: RetryPolicy = STEADY, now: datetime = NOW) -> Transition:
    """The taking of a job whose worker fell silent."""
    return job.lapse(policy=policy, now=now, stamp=a_stamp(), fraction=0.0)


def orphaned(job: Job, *, policy: RetryPolicy = STEADY, now: datetime = NOW) -> Transition:
    """The taking of a job whose worker is dead."""
    return job.orphan(policy=policy, now=now, stamp=a_stamp(), fraction=0.0)


def handed_back(job: Job, *, now: datetime = NOW) -> Transition:
    """The end of an attempt that does not count."""
    return job.hand_back("shutting down", policy=STEADY, now=now, stamp=a_stamp(), fraction=0.0)


def _columns(state: JobState, now: datetime) -> dict[str, Any]:
    match state:
        case JobState.SCHEDULED:
            return {"run_at": now + HOUR, "wake_at": now + HOUR, "announced_at": None}
        case JobState.QUEUED:
            return {}
        case JobState.PROCESSING:
            ran = {"worker": "worker-1", "started_at": now, "lease_until": now + MINUTE}
            return {"version": 2, "attempt": 1} | ran
        case JobState.RETRYING:
            wait = {"retry_at": now + 2 * SECOND, "wake_at": now + 34 * SECOND}
            return {"version": 3, "attempt": 1, "error": "x", "error_kind": FailureKind.TRANSIENT} | wait
        case JobState.SUCCEEDED | JobState.DISCARDED:
            return {"version": 3, "attempt": 1, "finished_at": now}
        case JobState.FAILED:
            why = {"error": "x", "error_kind": FailureKind.PERMANENT}
            return {"version": 3, "attempt": 1, "finished_at": now} | why
        case JobState.EXPIRED | JobState.CANCELLED:
            return {"version": 2, "finished_at": now}
