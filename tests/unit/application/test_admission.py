"""Which jobs may begin: by the rules for suspects, and by the threads and processes they need."""

from typing import Any

import pytest

from jobmill.application.admission import Admission
from jobmill.application.handlers import JobHandlers, Registry
from jobmill.application.holding import Holding
from jobmill.application.suspects import Suspects
from jobmill.domain.job import Job

from tests.builders import MINUTE, a_job
from tests.received import Received
from tests.unit.application.test_holding import LANE

handlers = JobHandlers()


@handlers.register("process", process=True)
def in_a_process(payload: dict[str, Any]) -> None: ...
@handlers.register("thread")
def in_a_thread(payload: dict[str, Any]) -> None: ...
@handlers.register("loop")
async def on_the_loop(payload: dict[str, Any]) -> None: ...


@pytest.fixture
def admission() -> Admission:
    """Two threads, one process, two suspects at a time."""
    suspects = Suspects(trials_max=2)
    return Admission(suspects=suspects, registry=Registry([handlers]), threads=2, processes=1)


def jobs(*types: str, **facts: Any) -> list[Job]:
    return [a_job(type=each, **facts) for each in types]


def holding(waiting: list[Job]) -> Holding:
    return Holding(Received(), lane=LANE, jobs=waiting, ack_deadline=MINUTE)


async def test_what_finds_no_thread_lets_the_others_pass(admission: Admission) -> None:
    waiting = jobs("thread", "thread", "thread", "loop", "process", "process", "thread", "loop")
    held = holding(waiting)

    taken = held.take(10, admission)

    assert taken == [waiting[0], waiting[1], waiting[3], waiting[4], waiting[7]]
    assert list(held.todo) == [waiting[2], waiting[5], waiting[6]]
    assert held.waiting(admission) == 0


async def test_a_thread_that_is_free_again_takes_the_next(admission: Admission) -> None:
    held = holding(jobs("thread", "thread", "thread"))
    first = held.take(10, admission)

    admission.ended(first[:1])

    assert held.waiting(admission) == 1
    assert len(held.take(10, admission)) == 1
    assert held.waiting(admission) == 0


async def test_what_was_taken_and_put_back_counts_again(admission: Admission) -> None:
    held = holding(jobs("process", "loop"))
    taken = held.take(10, admission)

    admission.ended(taken)
    held.put_back(taken)

    assert held.waiting(admission) == 2


async def test_what_is_put_back_is_taken_for_what_it_is(admission: Admission) -> None:
    thread, loop = jobs("thread", "loop")
    held = holding([thread, loop])
    held.take(1, admission)
    assert held.waiting(admission) == 1
    for job in jobs("thread"):
        admission.begin(job)

    held.take(1, admission)
    held.put_back([thread])

    assert held.waiting(admission) == 0


async def test_no_more_are_taken_than_there_are_slots_whatever_their_kind(admission: Admission) -> None:
    held = holding(jobs("thread", "loop", "thread", "loop"))

    assert len(held.take(2, admission)) == 2
    assert admission.admits(jobs("thread")[0]), "the second thread is still free"


async def test_a_suspect_needs_a_thread_like_any_other(admission: Admission) -> None:
    [suspect] = jobs("thread", suspect=True)
    for job in jobs("thread", "thread"):
        admission.begin(job)

    assert not admission.admits(suspect)
    assert holding([suspect]).holds_suspects


async def test_of_one_parcel_one_suspect_begins_at_a_time(admission: Admission) -> None:
    held = holding(jobs("loop", "loop", "loop", suspect=True))

    assert held.waiting(admission) == 1
    assert len(held.take(10, admission)) == 1
    assert held.waiting(admission) == 1
    assert len(held.take(10, admission)) == 1
    assert held.waiting(admission) == 0


async def test_a_type_that_is_unknown_here_needs_no_thread(admission: Admission) -> None:
    assert len(holding(jobs("elsewhere", "elsewhere", "elsewhere")).take(10, admission)) == 3
