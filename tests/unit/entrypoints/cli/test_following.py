"""Following a job to its end, on a store that is a list of stories and a clock that nobody waits for."""

from collections.abc import Callable
from datetime import timedelta

from attrs import evolve

from jobmill.application.ports.job_finder import JobStory
from jobmill.domain.failure import Failure, FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.transition import HistoryEntry, Transition
from jobmill.entrypoints.cli.following import PAUSE_FIRST_S, PAUSE_MAX_S, Following

from tests.builders import (
    HOUR,
    NOW,
    SECOND,
    a_failure,
    a_job,
    a_stamp,
    failed,
    handed_back,
    started,
    succeeded,
)

SIMULATED = Failure(kind=FailureKind.TRANSIENT, message="simulated failure")


class Life:
    """A job that moves on, and what a store would show of it after each move."""

    def __init__(self, job: Job | None = None) -> None:
        self.job = job or a_job()
        self.history: list[HistoryEntry] = []
        self.stories = [self.story]

    @property
    def story(self) -> JobStory:
        return JobStory(job=self.job, history=tuple(self.history))

    def then(self, move: Callable[[Job], Transition], *, seen: bool = True) -> "Life":
        """Let the job move; unseen, it moves on before anybody looks."""
        transition = move(self.job)
        self.job = transition.job
        if transition.history is not None:
            self.history.append(transition.history)
        if seen:
            self.stories.append(self.story)
        return self


class Person:
    """Somebody who waits for a job, and what they are told."""

    def __init__(self, life: Life, *, columns: int = 240, patient_for: int = 0) -> None:
        self.first = life.stories[0].job
        self.lines: list[str] = []
        self.notes: list[str] = []
        self.pauses: list[float] = []
        self._stories = [life.stories[0]] * patient_for + life.stories
        self._columns = columns

    async def waits(self) -> Job:
        following = Following(
            look=self._look,
            say=lambda line: self.lines.append(line.replace(str(self.first.id), "ID")),
            note=self.notes.append,
            columns=self._columns,
            pause=self._pause,
        )
        return await following.to_the_end(self.first)

    async def _look(self) -> JobStory:
        return self._stories.pop(0)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


def fails(failure: Failure) -> Callable[[Job], Transition]:
    return lambda job: failed(job, failure, now=NOW + SECOND)


def succeeds(job: Job) -> Transition:
    return succeeded(job, now=NOW + timedelta(seconds=0.05))


async def test_a_line_is_printed_for_each_attempt_with_what_comes_next() -> None:
    life = Life().then(started).then(fails(SIMULATED)).then(started).then(fails(SIMULATED))
    person = Person(life.then(started).then(succeeds))

    job = await person.waits()

    assert job.state is JobState.SUCCEEDED
    assert person.lines == [
        "ID  attempt 1  failed     simulated failure           retry in 2.0 s",
        "ID  attempt 2  failed     simulated failure           retry in 4.0 s",
        "ID  attempt 3  succeeded  0.05 s",
    ]


async def test_a_dead_letter_comes_with_the_commands_to_look_at_it_and_to_start_it_over() -> None:
    permanent = Failure(kind=FailureKind.PERMANENT, message="simulated failure (permanent)")
    person = Person(Life().then(started).then(fails(permanent)))

    job = await person.waits()

    assert job.state is JobState.FAILED
    assert person.lines == [
        "ID  attempt 1  failed     simulated failure (permanent)   "
        "dead-lettered: see `jobmill job ID`, `jobmill requeue ID`"
    ]


async def test_in_80_columns_what_does_not_fit_stands_below() -> None:
    person = Person(Life().then(started).then(fails(SIMULATED)).then(started).then(succeeds), columns=80)

    await person.waits()

    assert person.lines == [
        "ID  attempt 1  failed\n    simulated failure   retry in 2.0 s",
        "ID  attempt 2  succeeded  0.05 s",
    ]


async def test_in_80_columns_no_id_is_broken() -> None:
    life = Life(a_job(max_attempts=1)).then(started).then(fails(SIMULATED))
    person = Person(life, columns=80)

    await person.waits()

    assert person.lines == [
        "ID  attempt 1  failed\n"
        "    simulated failure\n"
        "    dead-lettered: see `jobmill job ID`\n"
        "    `jobmill requeue ID`"
    ]


async def test_attempts_that_passed_between_two_looks_are_told_all_the_same() -> None:
    life = Life().then(started, seen=False).then(fails(SIMULATED), seen=False).then(started, seen=False)
    person = Person(life.then(succeeds))

    await person.waits()

    assert person.lines == [
        "ID  attempt 1  failed     simulated failure           to be retried",
        "ID  attempt 2  succeeded  0.05 s",
    ]


async def test_only_the_latest_attempt_says_when_the_next_one_comes() -> None:
    life = Life().then(started, seen=False).then(fails(SIMULATED), seen=False).then(started, seen=False)
    person = Person(life.then(fails(SIMULATED)).then(started).then(succeeds))

    await person.waits()

    assert person.lines[:2] == [
        "ID  attempt 1  failed     simulated failure           to be retried",
        "ID  attempt 2  failed     simulated failure           retry in 4.0 s",
    ]


async def test_an_attempt_that_was_given_back_is_told_as_such() -> None:
    person = Person(Life().then(started).then(handed_back).then(started).then(succeeds))

    await person.waits()

    assert person.lines[0] == "ID  attempt 1  handed back  shutting down"


async def test_an_expired_job_ends_the_wait() -> None:
    life = Life(a_job(ttl=HOUR, expires_at=NOW)).then(lambda job: job.expire(now=NOW, stamp=a_stamp()))
    person = Person(life)

    job = await person.waits()

    assert job.state is JobState.EXPIRED
    assert person.lines == [
        "ID  expired    its time to live was over   dead-lettered: see `jobmill job ID`, `jobmill requeue ID`"
    ]


async def test_a_cancelled_job_ends_the_wait() -> None:
    person = Person(Life().then(lambda job: job.cancel(now=NOW, stamp=a_stamp())))

    job = await person.waits()

    assert job.state is JobState.CANCELLED
    assert person.lines == ["ID  cancelled"]


async def test_only_the_first_line_of_an_error_is_shown() -> None:
    person = Person(
        Life()
        .then(started)
        .then(fails(evolve(a_failure(), message="one\ntwo")))
        .then(lambda job: job.cancel(now=NOW, stamp=a_stamp()))
    )

    await person.waits()

    assert person.lines[0] == "ID  attempt 1  failed     one                         retry in 2.0 s"


async def test_the_store_is_asked_often_at_first_and_never_more_seldom_than_twice_a_second() -> None:
    person = Person(Life().then(started).then(succeeds), patient_for=30)

    await person.waits()

    assert PAUSE_FIRST_S <= person.pauses[0] < 2 * PAUSE_FIRST_S
    assert person.pauses[:25] == sorted(person.pauses[:25])
    assert max(person.pauses) == PAUSE_MAX_S


async def test_a_job_that_nobody_takes_makes_one_ask_whether_anybody_is_there_once() -> None:
    person = Person(Life().then(started).then(succeeds), patient_for=40)

    await person.waits()

    assert person.notes == ["still queued: is `jobmill up` or a worker running?"]
    assert sum(person.pauses) > 10


async def test_a_job_that_is_taken_soon_raises_no_such_question() -> None:
    person = Person(Life().then(started).then(succeeds), patient_for=10)

    await person.waits()

    assert person.notes == []


async def test_a_long_run_raises_no_such_question_either() -> None:
    life = Life().then(started)
    life.stories += [life.story] * 60
    person = Person(life.then(succeeds))

    await person.waits()

    assert person.notes == []


async def test_a_job_for_later_says_when() -> None:
    later = a_job(state=JobState.SCHEDULED, run_at=NOW + HOUR, wake_at=NOW + HOUR)
    person = Person(Life(later).then(lambda job: job.cancel(now=NOW, stamp=a_stamp())))

    await person.waits()

    assert person.notes == [f"{later.id}  scheduled for 2030-01-01 13:00:00Z"]
