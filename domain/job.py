"""A job and every move it may make."""

from datetime import datetime, timedelta
from typing import Any, Final, Self

from attrs import evolve, frozen

from jobmill.domain.failure import UNDELIVERABLE, WORKER_DEAD, WORKER_LOST, Failure, FailureKind
from jobmill.domain.job_record import JobRecord
from jobmill.domain.ladder import REACH, overdue_after
from jobmill.domain.retry_policy import RetryIn, RetryPolicy
from jobmill.domain.states import DEAD, TERMINAL, UNSTARTED, WAITING, Fact, Guard, JobState, Target
from jobmill.domain.transition import Transition

#: A job that ends in shutdown or an open breaker this often fails like any other.
POSTPONES_MAX: Final = 100
#: So many excused waits are counted, which tells how long the next one is. They never end a job.
EXCUSED_MAX: Final = 12
#: A job whose notice was replaced this often without a start kills whoever receives it.
ANNOUNCES_MAX: Final = 10

#: What belongs to a state and ends with it, unless the move says otherwise.
_OVER: Final = {"worker": None, "lease_until": None, "retry_at": None, "wake_at": None, "finished_at": None}

#: The first worker that a job loses is hardly its fault. From the second on its policy's delay holds.
AT_ONCE: Final = timedelta(0)


@frozen(kw_only=True, slots=False)
class Job(JobRecord):
    """The record of a job, and its moves.

    Moves are pure: each returns a ``Transition`` and raises ``IllegalTransition`` where the state forbids it.
    ``now`` is the store's time, ``stamp`` is random. Whether a job is due or expired is judged by the store
    when it saves; the transition's guard says so.
    """

    def release(self, *, now: datetime, stamp: int) -> Transition:
        """Put a job whose time has come into its queue."""
        self._require("release", JobState.SCHEDULED, JobState.RETRYING)
        if self.is_held:
            raise self._refusal("release", "it waits for other jobs")
        return self._queue(Fact.RELEASED, now=now, stamp=stamp, guard=Guard.DUE)

    def proceed(self, *, inherited: str, now: datetime, stamp: int) -> Transition:
        """Let a job go that waited for others: into its queue, or to wait for its own time.

        Args:
            inherited: what they left it, a JSON text.
        """
        self._require_held("proceed")
        run_at = self.run_at if self.run_at is not None and self.run_at > now else None
        expires_at = None if self.ttl is None else (run_at or now) + self.ttl
        left: dict[str, Any] = {"inherited": inherited, "expires_at": expires_at}
        if run_at is None:
            return self._queue(Fact.RELEASED, now=now, stamp=stamp, **left)
        return self._move(JobState.SCHEDULED, Fact.RELEASED, now=now, stamp=stamp, wake_at=run_at, **left)

    def forgo(self, *, reason: str, now: datetime, stamp: int) -> Transition:
        """Cancel a job that waited for what will not come."""
        self._require_held("forgo")
        failure = Failure(kind=FailureKind.PERMANENT, message=reason)
        return self._cancelled(now=now, stamp=stamp, failure=failure)

    def start(self, *, worker: str, lease: timedelta, now: datetime, stamp: int) -> Transition:
        """Begin the next attempt, which counts from here, so that a job that kills its worker is bounded."""
        if self.state not in WAITING:
            raise self._refusal("start")
        if self.stop_asked or self.attempt >= self.max_attempts:
            raise self._refusal("start", "asked to stop" if self.stop_asked else "no attempts left")
        # Written out, as is the success: these two are made of every job.
        job = self.of(
            {
                **self.__dict__,
                **_OVER,
                "state": JobState.PROCESSING,
                "version": self.version + 1,
                "stamp": stamp,
                "updated_at": now,
                "attempt": self.attempt + 1,
                "worker": worker,
                "started_at": now,
                "announces": 0,
            }
        )
        return Transition(before=self, job=job, fact=Fact.STARTED, guard=Guard.CLAIM, lease=lease)

    def succeed(self, *, result: str | None, now: datetime, stamp: int) -> Transition:
        """End the attempt and the job well, also if it was asked to stop and had finished by then."""
        if self.state is not JobState.PROCESSING:
            raise self._refusal("succeed")
        job = self.of(
            {
                **self.__dict__,
                **_OVER,
                "state": JobState.SUCCEEDED,
                "version": self.version + 1,
                "stamp": stamp,
                "updated_at": now,
                "finished_at": now,
                "result": result,
                "error": None,
                "error_kind": None,
            }
        )
        return Transition(before=self, job=job, fact=Fact.SUCCEEDED)

    def fail(
        self, failure: Failure, *, policy: RetryPolicy, now: datetime, stamp: int, fraction: float
    ) -> Transition:
        """End the attempt badly: retry, dead-letter, or cancel if it was asked to stop."""
        self._require("fail", JobState.PROCESSING)
        if self.stop_asked:
            return self._cancelled(now=now, stamp=stamp, failure=failure)
        suspect = failure.kind is FailureKind.WORKER_LOST
        match policy.decide(failure, attempt=self.attempt, max_attempts=self.max_attempts, fraction=fraction):
            case RetryIn(delay=delay):
                fact = Fact.RETRY_SCHEDULED
                if suspect and not self.suspect:
                    delay = AT_ONCE
                return self._wait(fact, delay, now=now, stamp=stamp, failure=failure, suspect=suspect)
            case _:
                return self._bury(failure, now=now, stamp=stamp, suspect=suspect)

    def lapse(self, *, policy: RetryPolicy, now: datetime, stamp: int, fraction: float) -> Transition:
        """Take a job from a worker that stopped renewing its lease."""
        failed = self.fail(WORKER_LOST, policy=policy, now=now, stamp=stamp, fraction=fraction)
        return evolve(failed, guard=Guard.LAPSED)

    def orphan(self, *, policy: RetryPolicy, now: datetime, stamp: int, fraction: float) -> Transition:
        """Take a job from a worker that is surely dead, whatever is left of its lease."""
        failed = self.fail(WORKER_DEAD, policy=policy, now=now, stamp=stamp, fraction=fraction)
        return evolve(failed, guard=Guard.ORPHANED)

    def stop(self, *, now: datetime, stamp: int) -> Transition:
        """End a job that was asked to stop and whose handler ended by it."""
        self._require("stop", JobState.PROCESSING)
        if not self.stop_asked:
            raise self._refusal("stop", "nobody asked")
        return self._cancelled(now=now, stamp=stamp)

    def postpone(
        self,
        delay: timedelta,
        reason: str,
        *,
        policy: RetryPolicy,
        now: datetime,
        stamp: int,
        fraction: float,
        is_excused: bool = False,
    ) -> Transition:
        """Give the attempt back and wait, only after the handler has ended. The hundredth time it counts.

        Args:
            is_excused: neither the job nor its handler is why, so it never counts.
        """
        self._require("postpone", JobState.PROCESSING)
        failure = Failure(kind=FailureKind.RETRY_AFTER, message=reason, retry_after=delay)
        if self.stop_asked or (self.postpones >= POSTPONES_MAX and not is_excused):
            return self.fail(failure, policy=policy, now=now, stamp=stamp, fraction=fraction)
        postpones = self._excused if is_excused else self.postpones + 1
        back = {"attempt": self.attempt - 1, "postpones": postpones}
        return self._wait(Fact.POSTPONED, delay, now=now, stamp=stamp, failure=failure, **back)

    def hand_back(
        self, reason: str, *, policy: RetryPolicy, now: datetime, stamp: int, fraction: float
    ) -> Transition:
        """Give the attempt back for another worker to take at once, only after the handler has ended."""
        self._require("hand_back", JobState.PROCESSING)
        failure = Failure(kind=FailureKind.TRANSIENT, message=reason)
        if self.stop_asked or self.postpones >= POSTPONES_MAX:
            return self.fail(failure, policy=policy, now=now, stamp=stamp, fraction=fraction)
        back = {"attempt": self.attempt - 1, "postpones": self.postpones + 1}
        return self._queue(Fact.HANDED_BACK, now=now, stamp=stamp, failure=failure, **back)

    def defer(self, delay: timedelta, reason: str, *, now: datetime, stamp: int) -> Transition:
        """Let an unclaimed job wait for other code; no attempt has begun, so none is given back."""
        self._require("defer", *WAITING)
        failure = Failure(kind=FailureKind.RETRY_AFTER, message=reason, retry_after=delay)
        return self._wait(
            Fact.POSTPONED, delay, now=now, stamp=stamp, failure=failure, postpones=self._excused
        )

    def give_up(self, *, now: datetime, stamp: int) -> Transition:
        """Bury a queued job that was announced again and again without ever being started."""
        self._require("give_up", JobState.QUEUED)
        if self.announces < ANNOUNCES_MAX:
            raise self._refusal("give_up", f"announced {self.announces} times of {ANNOUNCES_MAX}")
        return self._bury(UNDELIVERABLE, now=now, stamp=stamp)

    def expire(self, *, now: datetime, stamp: int) -> Transition:
        """Give up a job whose time to live ended before it could start."""
        self._require("expire", *UNSTARTED)
        guard, target = Guard.EXPIRED, Target.DEAD
        return self._move(JobState.EXPIRED, Fact.EXPIRED, now=now, stamp=stamp, guard=guard, target=target)

    def cancel(self, *, now: datetime, stamp: int) -> Transition:
        """Take back a job that has not started. A running one is asked to stop instead."""
        self._require("cancel", *UNSTARTED)
        return self._cancelled(now=now, stamp=stamp)

    def ask_to_stop(self) -> Self:
        """Mark a running job; its version stays, so the outcome in flight stays valid."""
        self._require("ask_to_stop", JobState.PROCESSING)
        return self.changed(stop_asked=True)

    def requeue(
        self,
        *,
        now: datetime,
        stamp: int,
        payload: str | None = None,
        payload_version: int | None = None,
        inherited: str | None = None,
    ) -> Transition:
        """Start over with fresh attempts and time to live, with an edited payload if one is given.

        Args:
            payload_version: of the edited payload; None where it is that of the old one.
            inherited: what those left it that it comes after, if it was never let go; None if they did not
                end as they must, and then it cannot start.
        """
        self._require("requeue", JobState.CANCELLED, *DEAD)
        edited: dict[str, Any] = {}
        if self.awaits:
            if inherited is None:
                raise self._refusal("requeue", "what it comes after has to succeed or end first")
            edited["inherited"] = inherited
        if payload is not None:
            edited |= {"payload": payload, "edition": self.edition + 1}
            edited["payload_version"] = payload_version or self.payload_version
        fresh = {"attempt": 0, "postpones": 0, "announces": 0, "suspect": False, "stop_asked": False}
        gone = {"started_at": None, "error": None, "error_kind": None, "run_at": None}
        expires_at = None if self.ttl is None else now + self.ttl
        return self._queue(
            Fact.REQUEUED, now=now, stamp=stamp, expires_at=expires_at, **fresh, **gone, **edited
        )

    def discard(self, *, now: datetime, stamp: int) -> Transition:
        """Put a dead letter away for good."""
        self._require("discard", *DEAD)
        return self._move(JobState.DISCARDED, Fact.DISCARDED, now=now, stamp=stamp)

    @property
    def _excused(self) -> int:
        return max(self.postpones, min(self.postpones + 1, EXCUSED_MAX))

    def _queue(self, fact: Fact, *, now: datetime, stamp: int, **changes: Any) -> Transition:
        to, target = JobState.QUEUED, Target.QUEUE
        return self._move(to, fact, now=now, stamp=stamp, target=target, announced_at=now, **changes)

    def _wait(
        self, fact: Fact, delay: timedelta, *, now: datetime, stamp: int, failure: Failure, **changes: Any
    ) -> Transition:
        on_ladder = delay <= REACH
        return self._move(
            JobState.RETRYING,
            fact,
            now=now,
            stamp=stamp,
            failure=failure,
            target=Target.LADDER if on_ladder else Target.NONE,
            announced_at=now if on_ladder else None,
            retry_at=now + delay,
            wake_at=now + overdue_after(delay),
            **changes,
        )

    def _bury(self, failure: Failure, *, now: datetime, stamp: int, **changes: Any) -> Transition:
        to, fact, target = JobState.FAILED, Fact.DEAD_LETTERED, Target.DEAD
        return self._move(to, fact, now=now, stamp=stamp, failure=failure, target=target, **changes)

    def _cancelled(self, *, now: datetime, stamp: int, failure: Failure | None = None) -> Transition:
        return self._move(JobState.CANCELLED, Fact.CANCELLED, now=now, stamp=stamp, failure=failure)

    def _move(
        self,
        to: JobState,
        fact: Fact,
        *,
        now: datetime,
        stamp: int,
        guard: Guard = Guard.NONE,
        target: Target = Target.NONE,
        failure: Failure | None = None,
        **changes: Any,
    ) -> Transition:
        """Make the next version. What is not named is over with the old state: worker, lease, due times."""
        if failure is not None:
            changes |= {"error": failure.message, "error_kind": failure.kind}
        changes["state"] = to
        changes["version"] = self.version + 1
        changes["stamp"] = stamp
        changes["updated_at"] = now
        if to in TERMINAL:
            changes.setdefault("finished_at", now)
        job = self._with(_OVER, changes)
        return Transition(before=self, job=job, fact=fact, guard=guard, target=target, failure=failure)
