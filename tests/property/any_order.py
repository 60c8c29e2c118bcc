"""One job that is moved by any verb in any order, and a model that counts along."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from jobmill.domain.errors import IllegalTransition
from jobmill.domain.failure import Failure, FailureKind
from jobmill.domain.job import Job
from jobmill.domain.job_type import TypeRules
from jobmill.domain.options import JobOptions
from jobmill.domain.retry_policy import RetryPolicy
from jobmill.domain.states import DEAD, UNSTARTED, WAITING, Fact, Guard, JobState
from jobmill.domain.transition import Transition

from tests.builders import NOW
from tests.property.move_laws import FREE_POSTPONES, check_excused, check_given_back, check_move, check_wait
from tests.property.values import delays, fractions, lifetimes, policies


def while_it_is(*states: JobState) -> Callable[[Any], Any]:
    """Spend no steps on moves that the state forbids; ``JobLaws`` tries those between the steps."""
    return precondition(lambda machine: machine.job.state in states)


class AnyOrder(RuleBasedStateMachine):
    """One job, one store that saves whatever the domain decides, and a model that counts along."""

    job: Job

    @initialize(
        policy=policies(),
        max_attempts=st.integers(1, 5),
        ttl=st.none() | lifetimes(),
        delay=st.none() | delays(),
    )
    def submit(
        self, policy: RetryPolicy, max_attempts: int, ttl: timedelta | None, delay: timedelta | None
    ) -> None:
        self.now = NOW
        self._submit(policy, max_attempts, ttl, delay)

    @while_it_is(JobState.SUCCEEDED, JobState.DISCARDED)
    @rule(max_attempts=st.integers(1, 5), ttl=st.none() | lifetimes())
    def be_followed_by_another(self, max_attempts: int, ttl: timedelta | None) -> None:
        self._submit(self.policy, max_attempts, ttl, None)

    def _submit(
        self, policy: RetryPolicy, max_attempts: int, ttl: timedelta | None, delay: timedelta | None
    ) -> None:
        self.policy = policy
        rules = TypeRules(name="email", retry=policy)
        wishes = JobOptions(ttl=ttl, delay=delay, max_attempts=max_attempts)
        self.job = Job.submit(rules, wishes, "{}", job_id=UUID(int=1), now=self.now, stamp=0)
        self.born = self.job
        self.moves = 0
        self.started_and_kept = 0
        self.deadline = self.job.expires_at

    # --- what may happen ---

    @rule(by=lifetimes())
    def time_passes(self, by: timedelta) -> None:
        self.now += by

    @while_it_is(*WAITING)
    @rule(postpones_left=st.none() | st.integers(0, 2))
    def start(self, postpones_left: int | None) -> None:
        lease = timedelta(seconds=15)
        if self._moves("start", lambda job: job.start(worker="w", lease=lease, **self.when())):
            self.started_and_kept += 1
            if postpones_left is not None:
                postpones = max(self.job.postpones, FREE_POSTPONES - postpones_left)
                self.job = evolve(self.job, postpones=postpones)

    @while_it_is(JobState.PROCESSING)
    @rule()
    def succeed(self) -> None:
        self._moves("succeed", lambda job: job.succeed(result="{}", **self.when()))

    @while_it_is(JobState.PROCESSING)
    @rule(
        kind=st.sampled_from(FailureKind),
        retry_after=st.none() | delays(),
        fraction=fractions(),
    )
    def fail(self, kind: FailureKind, retry_after: timedelta | None, fraction: float) -> None:
        failure = Failure(kind=kind, message="x", retry_after=retry_after)
        attempt, asked = self.job.attempt, self.job.stop_asked
        move = self._moves("fail", lambda job: job.fail(failure, **self._policy(fraction)))
        if move is None:
            return
        if asked:
            assert move.job.state is JobState.CANCELLED
        elif failure.is_final or attempt >= self.job.max_attempts:
            assert move.job.state is JobState.FAILED
        else:
            assert move.job.state is JobState.RETRYING
            check_wait(move, asked=retry_after, policy=self.policy, now=self.now)

    @while_it_is(JobState.PROCESSING)
    @rule(fraction=fractions())
    def lapse(self, fraction: float) -> None:
        move = self._moves("lapse", lambda job: job.lapse(**self._policy(fraction)))
        assert move is None or (move.guard is Guard.LAPSED and move.job.state is not JobState.QUEUED)

    @while_it_is(JobState.PROCESSING)
    @rule()
    def be_asked_to_stop(self) -> None:
        before, self.job = self.job, self.job.ask_to_stop()
        assert self.job == evolve(before, stop_asked=True)

    @while_it_is(JobState.PROCESSING)
    @rule()
    def stop(self) -> None:
        self._moves("stop", lambda job: job.stop(**self.when()))

    @while_it_is(JobState.PROCESSING)
    @rule(delay=delays(), fraction=fractions())
    def postpone(self, delay: timedelta, fraction: float) -> None:
        move = self._moves("postpone", lambda job: job.postpone(delay, "x", **self._policy(fraction)))
        if move is not None and move.fact is Fact.POSTPONED:
            check_given_back(move)
            self.started_and_kept -= 1
            check_wait(move, asked=delay, policy=self.policy, now=self.now)

    @while_it_is(JobState.PROCESSING)
    @rule(delay=delays(), fraction=fractions())
    def be_left_to_other_code(self, delay: timedelta, fraction: float) -> None:
        """However often that happened: it never counts."""
        policy, asked = self._policy(fraction), self.job.stop_asked
        move = self._moves("leave", lambda job: job.postpone(delay, "x", is_excused=True, **policy))
        assert move is not None
        assert move.fact is (Fact.CANCELLED if asked else Fact.POSTPONED)
        if not asked:
            check_excused(move)
            assert move.job.attempt == move.before.attempt - 1
            self.started_and_kept -= 1
            check_wait(move, asked=delay, policy=self.policy, now=self.now)

    @while_it_is(JobState.PROCESSING)
    @rule(fraction=fractions())
    def hand_back(self, fraction: float) -> None:
        move = self._moves("hand_back", lambda job: job.hand_back("x", **self._policy(fraction)))
        if move is not None and move.fact is Fact.HANDED_BACK:
            check_given_back(move)
            self.started_and_kept -= 1

    @while_it_is(*WAITING)
    @rule(delay=delays())
    def defer(self, delay: timedelta) -> None:
        move = self._moves("defer", lambda job: job.defer(delay, "x", **self.when()))
        if move is not None:
            assert move.job.attempt == move.before.attempt
            check_excused(move)
            check_wait(move, asked=delay, policy=self.policy, now=self.now)

    @while_it_is(JobState.QUEUED)
    @rule(times=st.integers(1, 12))
    def be_announced_again(self, times: int) -> None:
        self.job = evolve(self.job, announces=self.job.announces + times)

    @while_it_is(*UNSTARTED)
    @rule(verb=st.sampled_from(["release", "give_up", "expire", "cancel"]))
    def be_moved_unstarted(self, verb: str) -> None:
        self._moves(verb, lambda job: getattr(job, verb)(**self.when()))

    @while_it_is(*DEAD)
    @rule()
    def discard(self) -> None:
        self._moves("discard", lambda job: job.discard(**self.when()))

    @while_it_is(JobState.CANCELLED, *DEAD)
    @rule(payload=st.none() | st.sampled_from(["{}", '{"to":"bob"}']))
    def requeue(self, payload: str | None) -> None:
        before = self.job
        move = self._moves("requeue", lambda job: job.requeue(payload=payload, **self.when()))
        if move is None:
            return
        self.started_and_kept = 0
        self.deadline = None if before.ttl is None else self.now + before.ttl
        assert (self.job.postpones, self.job.announces, self.job.stop_asked) == (0, 0, False)
        edited = payload is not None
        assert self.job.edition == before.edition + edited
        assert self.job.payload == (payload if edited else before.payload)

    def _moves(self, verb: str, decide: Callable[[Job], Transition]) -> Transition | None:
        before = self.job
        try:
            move = decide(before)
        except IllegalTransition:
            return None
        check_move(verb, move, now=self.now)
        self.job = move.job
        self.moves += 1
        return move

    def every_verb(self) -> Mapping[str, Callable[[Job], Transition]]:
        """All moves there are, said in the plainest way, to be tried whatever the state."""
        when, policy = self.when(), self._policy(0.5)
        wait, failure = timedelta(seconds=1), Failure(kind=FailureKind.TIMEOUT, message="x")
        return {
            "release": lambda job: job.release(**when),
            "start": lambda job: job.start(worker="w", lease=wait, **when),
            "succeed": lambda job: job.succeed(result=None, **when),
            "fail": lambda job: job.fail(failure, **policy),
            "lapse": lambda job: job.lapse(**policy),
            "orphan": lambda job: job.orphan(**policy),
            "stop": lambda job: job.stop(**when),
            "postpone": lambda job: job.postpone(wait, "x", **policy),
            "hand_back": lambda job: job.hand_back("x", **policy),
            "defer": lambda job: job.defer(wait, "x", **when),
            "give_up": lambda job: job.give_up(**when),
            "expire": lambda job: job.expire(**when),
            "cancel": lambda job: job.cancel(**when),
            "requeue": lambda job: job.requeue(**when),
            "discard": lambda job: job.discard(**when),
        }

    def when(self) -> dict[str, Any]:
        return {"now": self.now, "stamp": self.job.stamp + 1}

    def _policy(self, fraction: float) -> dict[str, Any]:
        return {"policy": self.policy, "fraction": fraction, **self.when()}
