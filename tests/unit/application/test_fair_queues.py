"""Shares: who waits where, the same everywhere and for ever, and no other queue is touched by it."""

from collections import Counter
from datetime import timedelta
from typing import Final

import pytest

from jobmill.application.codec.parcels import open_parcel
from jobmill.application.fair_queues import NONE_FAIR, FairQueues, share_of
from jobmill.application.parcels import pack
from jobmill.application.ports.message_bus import Lane, ToDead, ToLadder, ToLane
from jobmill.application.ports.outbox import Notice
from jobmill.domain.job import Job
from jobmill.domain.states import JobState, Priority, Target

from tests.builders import NOW, a_job, a_job_that_is, a_stamp

FAIR: Final = FairQueues(shares={"default": 8})


def notice_of(job: Job, target: Target = Target.QUEUE) -> Notice:
    return Notice(row=a_stamp(), job=job, target=target)


@pytest.mark.parametrize(
    ("tenant", "shares", "share"),
    [
        (None, 8, 0),
        ("", 8, 4),
        ("acme", 8, 1),
        ("acme", 2, 1),
        ("globex", 8, 2),
        ("globex", 32, 26),
        ("Zoë", 32, 26),
    ],
)
def test_the_share_of_a_tenant_is_the_same_in_every_release(
    tenant: str | None, shares: int, share: int
) -> None:
    """As ``b2sum -l 64`` says: a process that saw it otherwise would send jobs to lanes that nobody reads."""
    assert share_of(tenant, shares) == share


def test_tenants_whose_names_are_much_alike_are_spread_over_all_shares() -> None:
    counts = Counter(share_of(f"tenant-{number}", 8) for number in range(800))

    assert set(counts) == set(range(8))
    assert max(counts.values()) < 140


def test_a_queue_that_is_not_fair_has_the_lanes_it_always_had() -> None:
    lanes = FAIR.lanes_of("email")

    assert [str(lane) for lane in lanes] == ["email.high", "email.normal", "email.low"]
    assert FAIR.lane_of(a_job(queue="email", tenant="acme")) == lanes[1]


def test_the_first_share_of_a_lane_has_its_old_name() -> None:
    """So nothing is left behind where a queue becomes fair."""
    lanes = FairQueues(shares={"email": 2}).lanes_of("email")

    assert [str(lane) for lane in lanes] == [
        "email.high",
        "email.high.1",
        "email.normal",
        "email.normal.1",
        "email.low",
        "email.low.1",
    ]


def test_no_parcel_mixes_shares() -> None:
    jobs = [a_job(tenant=tenant) for tenant in ("acme", "globex", "acme", None, "globex", "acme")]

    parcels = list(pack([notice_of(job) for job in jobs], now=NOW, fair=FAIR))

    lanes = {
        parcel.parcel.destination: [job.tenant for job in open_parcel(parcel.parcel.body).jobs]
        for parcel in parcels
    }
    assert lanes == {
        ToLane(lane=Lane(queue="default", priority=Priority.NORMAL, share=1)): ["acme"] * 3,
        ToLane(lane=Lane(queue="default", priority=Priority.NORMAL, share=2)): ["globex"] * 2,
        ToLane(lane=Lane(queue="default", priority=Priority.NORMAL)): [None],
    }


def test_parcels_of_a_share_are_bounded_like_any() -> None:
    jobs = [a_job(tenant="acme") for _ in range(5)]

    parcels = list(pack([notice_of(job) for job in jobs], now=NOW, jobs_max=2, fair=FAIR))

    assert [len(each.notices) for each in parcels] == [2, 2, 1]
    assert {each.parcel.destination for each in parcels} == {ToLane(lane=FAIR.lane_of(jobs[0]))}


def test_tenants_travel_together_where_the_queue_is_not_fair() -> None:
    jobs = [a_job(tenant=tenant) for tenant in ("acme", "globex", None)]

    [parcel] = pack([notice_of(job) for job in jobs], now=NOW, fair=FairQueues(shares={"email": 8}))

    assert parcel.parcel.destination == ToLane(lane=NONE_FAIR.lane_of(jobs[0]))


def test_a_retry_comes_back_to_its_share() -> None:
    retries = [
        a_job_that_is(JobState.RETRYING, retry_at=NOW + timedelta(seconds=3), tenant=tenant)
        for tenant in ("acme", "globex")
    ]

    parcels = list(pack([notice_of(job, Target.LADDER) for job in retries], now=NOW, fair=FAIR))

    assert [each.parcel.destination for each in parcels] == [
        ToLadder(lane=FAIR.lane_of(job), delay=timedelta(seconds=3)) for job in retries
    ]


def test_a_suspect_travels_alone_in_its_share() -> None:
    suspects = [a_job(tenant="acme", suspect=True) for _ in range(2)]

    parcels = list(pack([notice_of(job) for job in suspects], now=NOW, fair=FAIR))

    lane = Lane(queue="default", priority=Priority.NORMAL, share=1)
    assert [each.parcel.destination for each in parcels] == 2 * [ToLane(lane=lane)]


def test_dead_letters_of_all_tenants_lie_in_one_place() -> None:
    dead = a_job_that_is(JobState.FAILED, tenant="acme")

    [parcel] = pack([notice_of(dead, Target.DEAD)], now=NOW, fair=FAIR)

    assert parcel.parcel.destination == ToDead(queue="default")
