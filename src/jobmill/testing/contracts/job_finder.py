"""``JobFinder``: one job, pages of jobs, counts."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from jobmill.application.ports.job_finder import JobQuery, JobStory
from jobmill.domain.job import Job
from jobmill.domain.states import Fact, JobState, Priority
from jobmill.testing.builders import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_job,
    a_job_that_is,
    a_stamp,
    an_id,
    an_id_made,
)
from jobmill.testing.contracts.store_world import StoreWorld


async def found(world: StoreWorld, **wanted: Any) -> list[Job]:
    return list(await world.store.finder.page(JobQuery(**wanted)))


async def made(world: StoreWorld, at: datetime) -> Job:
    return await world.has(a_job(id=an_id_made(at), now=at))


async def test_an_unknown_job_has_no_story(world: StoreWorld) -> None:
    assert await world.store.finder.story(an_id()) is None


async def test_a_new_job_has_no_history(world: StoreWorld) -> None:
    job = await world.queued()

    assert await world.store.finder.story(job.id) == JobStory(job=job, history=())


async def test_a_story_tells_the_job_and_its_history_oldest_first(world: StoreWorld) -> None:
    dead = await world.dead()
    again = await world.saved(dead.requeue(now=world.now, stamp=a_stamp()))
    other = await world.dead()

    story = await world.story(again)
    assert story.job == again
    assert [entry.fact for entry in story.history] == [Fact.DEAD_LETTERED, Fact.REQUEUED]
    assert {entry.job_id for entry in story.history} == {dead.id}
    assert len((await world.story(other)).history) == 1


async def test_the_newest_jobs_come_first(world: StoreWorld) -> None:
    jobs = [await world.queued() for _ in range(3)]

    assert await found(world) == jobs[::-1]


async def test_the_oldest_jobs_come_first_if_asked_so(world: StoreWorld) -> None:
    jobs = [await world.queued() for _ in range(3)]

    assert await found(world, newest_first=False) == jobs


async def test_a_page_holds_no_more_than_its_limit(world: StoreWorld) -> None:
    jobs = [await world.queued() for _ in range(3)]

    assert await found(world, limit=2) == [jobs[2], jobs[1]]
    assert await found(world, limit=2, newest_first=False) == [jobs[0], jobs[1]]


@pytest.mark.parametrize("newest_first", [True, False])
async def test_pages_follow_each_other_without_gap_or_overlap(world: StoreWorld, newest_first: bool) -> None:
    jobs = [await world.queued() for _ in range(5)]
    read: list[Job] = []
    while page := await found(world, limit=2, newest_first=newest_first, after=read[-1].id if read else None):
        read += page

    assert read == (jobs[::-1] if newest_first else jobs)


async def test_a_new_job_does_not_disturb_the_pages_behind_the_cursor(world: StoreWorld) -> None:
    jobs = [await world.queued() for _ in range(4)]
    [_, last] = await found(world, limit=2)
    await world.queued()

    assert await found(world, limit=2, after=last.id) == [jobs[1], jobs[0]]


@pytest.mark.parametrize(
    ("column", "value", "wanted"),
    [
        ("type", "sms", {"type": "sms"}),
        ("queue", "bulk", {"queue": "bulk"}),
        ("tenant", "acme", {"tenant": "acme"}),
        ("correlation_id", "c-1", {"correlation_id": "c-1"}),
        ("tags", ("red", "big"), {"tag": "big"}),
        ("tags", ('quo"te',), {"tag": 'quo"te'}),
    ],
)
async def test_a_filter_finds_the_jobs_that_fit(
    world: StoreWorld, column: str, value: str | tuple[str, ...], wanted: dict[str, str]
) -> None:
    await world.queued()
    fitting = await world.queued(**dict[str, Any]({column: value}))

    assert await found(world, **wanted) == [fitting]


@pytest.mark.parametrize("tag", ["re", "red,big", "Red", "%", "r_d", '"red"', ""])
async def test_a_tag_is_found_whole_or_not_at_all(world: StoreWorld, tag: str) -> None:
    await world.queued(tags=("red", "big"))

    assert await found(world, tag=tag) == []


async def test_jobs_are_found_by_their_state(world: StoreWorld) -> None:
    queued, running, dead = await world.queued(), await world.running(), await world.dead()

    assert await found(world, states=frozenset({JobState.QUEUED})) == [queued]
    assert await found(world, states=frozenset({JobState.PROCESSING, JobState.FAILED})) == [dead, running]
    assert await found(world, states=frozenset({JobState.EXPIRED})) == []


async def test_every_filter_given_must_hold(world: StoreWorld) -> None:
    await world.queued(type="sms", queue="a")
    await world.queued(type="email", queue="b")
    both = await world.queued(type="sms", queue="b", tags=("x",), tenant="t")

    wanted = {"type": "sms", "queue": "b", "tag": "x", "tenant": "t", "states": frozenset({JobState.QUEUED})}
    assert await found(world, **wanted) == [both]


async def test_the_time_of_creation_counts_from_and_before(world: StoreWorld) -> None:
    early, middle, late = [await made(world, NOW + hours * HOUR) for hours in range(3)]

    assert await found(world, created_from=middle.created_at) == [late, middle]
    assert await found(world, created_before=middle.created_at) == [early]
    assert await found(world, created_from=middle.created_at, created_before=late.created_at) == [middle]
    assert await found(world, created_from=late.created_at + timedelta(microseconds=1)) == []


async def test_a_time_in_another_zone_is_the_same_time(world: StoreWorld) -> None:
    job = await made(world, NOW)
    there = NOW.astimezone(timezone(5 * HOUR + 30 * MINUTE))

    assert await found(world, created_from=there, created_before=there + SECOND) == [job]


async def test_unfinished_jobs_and_dead_letters_are_counted_by_queue_and_state(world: StoreWorld) -> None:
    for state in JobState:
        await world.has(a_job_that_is(state, queue="a"))
    await world.has(a_job_that_is(JobState.QUEUED, queue="a"))
    await world.has(a_job_that_is(JobState.FAILED, queue="b"))

    assert dict(await world.store.finder.counts()) == {
        ("a", JobState.SCHEDULED): 1,
        ("a", JobState.QUEUED): 2,
        ("a", JobState.PROCESSING): 1,
        ("a", JobState.RETRYING): 1,
        ("a", JobState.FAILED): 1,
        ("a", JobState.EXPIRED): 1,
        ("b", JobState.FAILED): 1,
    }


async def test_an_empty_store_counts_nothing(world: StoreWorld) -> None:
    assert dict(await world.store.finder.counts()) == {}


async def test_the_longest_wait_of_each_queue_is_told(world: StoreWorld) -> None:
    for queue, hours, priority in (
        ("a", 1, Priority.LOW),
        ("a", 3, Priority.HIGH),
        ("b", 2, Priority.NORMAL),
    ):
        await world.queued(queue=queue, priority=priority, announced_at=world.now - hours * HOUR)
    await world.queued(queue="other", announced_at=world.now - 9 * HOUR)
    await world.running(queue="a", announced_at=world.now - 9 * HOUR)

    waits = await world.store.finder.longest_waits(["a", "b", "empty"])

    assert {queue: round(wait / HOUR) for queue, wait in waits.items()} == {"a": 3, "b": 2}


async def test_of_many_queues_each_is_looked_at(world: StoreWorld) -> None:
    queues = [f"q{number}" for number in range(50)]
    await world.queued(queue=queues[0])
    await world.queued(queue=queues[-1])

    assert set(await world.store.finder.longest_waits(queues)) == {queues[0], queues[-1]}


async def test_of_some_jobs_those_are_told_that_are_finished_or_gone(world: StoreWorld) -> None:
    queued, dead = await world.queued(), await world.dead()
    nobody = an_id()

    assert await world.store.finder.finished([queued.id, dead.id, nobody]) == {dead.id, nobody}
    assert await world.store.finder.finished([]) == set()
