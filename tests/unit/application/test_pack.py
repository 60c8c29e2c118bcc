"""Packing notices: few messages, many jobs, and nothing comes early."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobmill.application.codec.parcels import open_parcel
from jobmill.application.fair_queues import NONE_FAIR
from jobmill.application.parcels import PARCEL_BYTES_MAX, PackedParcel, pack
from jobmill.application.ports.message_bus import Lane, ToDead, ToLadder, ToLane
from jobmill.application.ports.outbox import Notice
from jobmill.domain.failure import FailureKind
from jobmill.domain.job import Job
from jobmill.domain.ladder import rung_for
from jobmill.domain.states import JobState, Priority, Target

from tests.builders import NOW, SECOND, a_job, a_job_that_is, a_stamp


def notice_of(job: Job, target: Target = Target.QUEUE) -> Notice:
    return Notice(row=a_stamp(), job=job, target=target)


def waiting(delay: timedelta, **facts: Any) -> Notice:
    return notice_of(a_job_that_is(JobState.RETRYING, retry_at=NOW + delay, **facts), Target.LADDER)


def packed(*notices: Notice, jobs_max: int = 50) -> list[PackedParcel]:
    return list(pack(notices, now=NOW, jobs_max=jobs_max))


def test_jobs_of_one_lane_travel_together_in_their_order() -> None:
    notices = [notice_of(a_job()) for _ in range(3)]

    [parcel] = packed(*notices)

    assert parcel.parcel.destination == ToLane(lane=Lane(queue="default", priority=Priority.NORMAL))
    assert parcel.notices == tuple(notices)
    assert [job.id for job in open_parcel(parcel.parcel.body).jobs] == [each.job.id for each in notices]


def test_every_queue_and_priority_has_its_own_parcels() -> None:
    jobs = [a_job(), a_job(queue="email"), a_job(priority=Priority.HIGH), a_job()]

    parcels = packed(*map(notice_of, jobs))

    assert [each.parcel.destination for each in parcels] == [
        ToLane(lane=NONE_FAIR.lane_of(job)) for job in jobs[:3]
    ]
    assert [len(each.notices) for each in parcels] == [2, 1, 1]


def test_a_parcel_is_bounded_in_jobs() -> None:
    assert [len(each.notices) for each in packed(*(notice_of(a_job()) for _ in range(7)), jobs_max=3)] == [
        3,
        3,
        1,
    ]


def test_a_parcel_is_bounded_in_bytes() -> None:
    big = '{"text":"' + 100 * 1024 * "x" + '"}'

    parcels = packed(*(notice_of(a_job(payload=big)) for _ in range(5)))

    assert [len(each.notices) for each in parcels] == [2, 2, 1]
    assert all(len(each.parcel.body) < PARCEL_BYTES_MAX + 1024 for each in parcels)


def test_a_job_that_fills_a_parcel_by_itself_is_sent_all_the_same() -> None:
    big = '{"text":"' + 2 * PARCEL_BYTES_MAX * "x" + '"}'

    assert [len(each.notices) for each in packed(notice_of(a_job(payload=big)), notice_of(a_job()))] == [1, 1]


def test_the_ladder_gets_a_parcel_for_each_rung_with_the_longest_of_its_delays() -> None:
    parcels = packed(waiting(3 * SECOND), waiting(4 * SECOND), waiting(1 * SECOND), waiting(3.5 * SECOND))

    lane = Lane(queue="default", priority=Priority.NORMAL)
    assert [each.parcel.destination for each in parcels] == [
        ToLadder(lane=lane, delay=4 * SECOND),
        ToLadder(lane=lane, delay=1 * SECOND),
    ]


def test_what_is_due_by_now_goes_straight_to_its_lane() -> None:
    [parcel] = packed(waiting(-SECOND), waiting(0 * SECOND), notice_of(a_job()))

    assert isinstance(parcel.parcel.destination, ToLane)
    assert len(parcel.notices) == 3


@pytest.mark.parametrize("facts", [{"suspect": True}, {"announces": 2}])
def test_what_may_have_killed_a_worker_travels_alone(facts: dict[str, Any]) -> None:
    parcels = packed(
        notice_of(a_job()), notice_of(a_job(**facts)), notice_of(a_job(**facts)), notice_of(a_job())
    )

    assert sorted(len(each.notices) for each in parcels) == [1, 1, 2]


def test_a_suspect_that_waits_goes_to_the_ladder_alone() -> None:
    parcels = packed(waiting(3 * SECOND, suspect=True), waiting(3 * SECOND, suspect=True))

    assert [each.parcel.destination for each in parcels] == 2 * [
        ToLadder(lane=Lane(queue="default", priority=Priority.NORMAL), delay=3 * SECOND)
    ]


def test_a_dead_letter_travels_alone_and_says_why() -> None:
    dead = a_job_that_is(
        JobState.FAILED, error="no\nsuch \x07host", error_kind=FailureKind.PERMANENT, attempt=2
    )

    [parcel] = packed(notice_of(dead, Target.DEAD))

    assert parcel.parcel.destination == ToDead(queue="default")
    assert parcel.parcel.headers["job_id"] == str(dead.id)
    assert parcel.parcel.headers["reason"] == "permanent"
    assert parcel.parcel.headers["attempts"] == 2
    assert parcel.parcel.headers["error"] == "no such  host"


def test_an_expired_job_dies_of_its_state() -> None:
    [parcel] = packed(notice_of(a_job_that_is(JobState.EXPIRED), Target.DEAD))

    assert parcel.parcel.headers["reason"] == "expired"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["default", "email"]),
            st.sampled_from(list(Priority)),
            st.floats(-10, 4096).map(lambda s: timedelta(seconds=s)),
            st.booleans(),
        ),
        max_size=40,
    ),
    st.integers(1, 10),
)
def test_every_notice_travels_once_to_where_it_belongs_and_never_early(
    wishes: list[tuple[str, Priority, timedelta, bool]], jobs_max: int
) -> None:
    notices = [
        waiting(delay, queue=queue, priority=priority, suspect=suspect)
        for queue, priority, delay, suspect in wishes
    ]

    parcels = packed(*notices, jobs_max=jobs_max)

    assert sorted(n.row for each in parcels for n in each.notices) == sorted(n.row for n in notices)
    for each in parcels:
        destination = each.parcel.destination
        assert len(each.notices) <= jobs_max
        assert not isinstance(destination, ToDead)
        for notice in each.notices:
            assert destination.lane == NONE_FAIR.lane_of(notice.job)
            assert notice.job.retry_at is not None
            left = notice.job.retry_at - NOW
            delay = destination.delay if isinstance(destination, ToLadder) else timedelta(0)
            assert left <= delay
            assert left <= timedelta(0) or rung_for(left) == rung_for(delay)
