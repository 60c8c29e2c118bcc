"""What ``JobRepository.save`` writes, and what it leaves alone."""

from datetime import timedelta

from attrs import evolve

from jobmill.domain.failure import FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import Fact, JobState, Priority, Target
from jobmill.domain.transition import Transition
from jobmill.testing.builders import (
    DAY,
    HOUR,
    a_failure,
    a_stamp,
    failed,
    handed_back,
    lapsed,
    started,
    succeeded,
)
from jobmill.testing.contracts.store_world import LEASE_OVER, StoreWorld


def requeued(job: Job, world: StoreWorld, *, payload: str | None = None) -> Transition:
    return job.requeue(now=world.now, stamp=a_stamp(), payload=payload)


async def test_what_a_job_is_born_with_is_never_written_again(world: StoreWorld) -> None:
    job = await world.running(
        idempotency_key="mine", correlation_id="c", tenant="t", tags=("a",), origin="{}"
    )
    forged = evolve(
        job,
        type="other",
        queue="other",
        priority=Priority.HIGH,
        payload='"forged"',
        created_at=job.created_at - DAY,
        idempotency_key="theirs",
        origin='"forged"',
    )

    await world.saved(succeeded(forged, now=world.now))

    row = await world.seen(job)
    assert row.state is JobState.SUCCEEDED
    assert (row.type, row.queue, row.payload, row.priority) == (
        job.type,
        job.queue,
        job.payload,
        job.priority,
    )
    assert (row.created_at, row.idempotency_key) == (job.created_at, "mine")
    assert (row.correlation_id, row.tenant, row.tags, row.origin) == ("c", "t", ("a",), "{}")


async def test_everything_that_a_move_changes_is_written(world: StoreWorld) -> None:
    job = await world.running(lease=LEASE_OVER, ttl=HOUR)

    move = lapsed(job, now=world.now)
    await world.saved(move)

    assert await world.seen(job) == move.job


async def test_a_requeue_with_an_edited_payload_writes_it(world: StoreWorld) -> None:
    dead = await world.dead()

    again = await world.saved(requeued(dead, world, payload='{"to":"bob"}'))

    row = await world.seen(dead)
    assert again == row
    assert (row.payload, row.edition) == ('{"to":"bob"}', 1)


async def test_a_requeue_without_an_edited_payload_leaves_it(world: StoreWorld) -> None:
    dead = await world.dead()
    forged = evolve(dead, payload='"forged"')

    await world.saved(requeued(forged, world))

    row = await world.seen(dead)
    assert (row.payload, row.edition) == (dead.payload, 0)


async def test_no_move_but_a_requeue_writes_the_payload(world: StoreWorld) -> None:
    waiting = await world.queued()
    running, failing, held = [await world.running() for _ in range(3)]

    def forged(job: Job) -> Job:
        return evolve(job, payload='"forged"', edition=job.edition + 1)

    for move in (
        started(forged(waiting), now=world.now),
        succeeded(forged(running), now=world.now),
        failed(forged(failing), now=world.now),
        handed_back(forged(held), now=world.now),
    ):
        await world.saved(move)
        assert (await world.seen(move.job)).payload == waiting.payload, move.fact


async def test_a_requeued_job_starts_over(world: StoreWorld) -> None:
    dead = await world.dead(ttl=HOUR, expires_at=world.now + timedelta(minutes=1))
    move = requeued(dead, world)

    row = await world.saved(move)

    assert row == await world.seen(dead) == move.job
    assert (row.state, row.attempt, row.error, row.finished_at) == (JobState.QUEUED, 0, None, None)
    assert row.expires_at == move.job.expires_at != dead.expires_at


# --- the stop request ---


async def test_a_stop_request_survives_a_save_that_knew_nothing_of_it(world: StoreWorld) -> None:
    seen = await world.running()
    await world.store.leases.ask_to_stop([seen.id])

    saved = await world.saved(failed(seen, now=world.now))

    assert saved.state is JobState.RETRYING
    assert saved.stop_asked
    assert (await world.seen(seen)).stop_asked


async def test_a_stop_request_is_never_copied_from_the_snapshot(world: StoreWorld) -> None:
    job = await world.running()
    forged = succeeded(evolve(job, stop_asked=True), now=world.now)

    await world.saved(forged)

    assert not (await world.seen(job)).stop_asked


async def test_a_stop_request_is_not_cleared_by_what_the_snapshot_says(world: StoreWorld) -> None:
    job = await world.stopped_while_it_ran()
    unaware = evolve(job, stop_asked=False)

    await world.saved(unaware.defer(HOUR, "breaker open", now=world.now, stamp=a_stamp()))

    assert (await world.seen(job)).stop_asked


async def test_a_requeue_clears_the_stop_request(world: StoreWorld) -> None:
    running = await world.running()
    await world.store.leases.ask_to_stop([running.id])
    dead = await world.saved(failed(running, a_failure(FailureKind.PERMANENT), now=world.now))
    assert dead.stop_asked

    again = await world.saved(requeued(dead, world))

    assert not again.stop_asked
    assert not (await world.seen(running)).stop_asked


# --- the notice ---


async def test_a_retry_within_the_ladders_reach_leaves_a_notice_for_the_ladder(world: StoreWorld) -> None:
    job = await world.retrying(due_in=timedelta(seconds=2))

    [notice] = await world.notices_of(job)
    assert (notice.row, notice.job, notice.target) == (job.stamp, job, Target.LADDER)


async def test_a_retry_beyond_the_ladder_leaves_none(world: StoreWorld) -> None:
    job = await world.retrying(due_in=DAY)

    assert await world.notices_of(job) == []


async def test_a_dead_letter_leaves_a_notice_for_the_copy(world: StoreWorld) -> None:
    job = await world.dead()

    [notice] = await world.notices_of(job)
    assert (notice.row, notice.job, notice.target) == (job.stamp, job, Target.DEAD)


async def test_a_job_that_returns_to_its_queue_leaves_a_notice(world: StoreWorld) -> None:
    back = await world.saved(handed_back(await world.running(), now=world.now))
    again = await world.saved(requeued(await world.dead(), world))

    for job in (back, again):
        [notice] = await world.notices_of(job)
        assert (notice.row, notice.job, notice.target) == (job.stamp, job, Target.QUEUE)


async def test_a_move_that_tells_nobody_leaves_none(world: StoreWorld) -> None:
    running, done = await world.running(), await world.done()

    assert await world.notices_of(running) == []
    assert await world.notices_of(done) == []


async def test_a_stale_save_leaves_neither_history_nor_notice(world: StoreWorld) -> None:
    job = await world.running()
    stale = failed(evolve(job, stamp=a_stamp()), now=world.now)

    await world.save(stale)

    assert (await world.story(job)).history == ()
    assert await world.notices_of(job) == []


# --- the history ---


async def test_a_failed_attempt_is_told_in_the_history(world: StoreWorld) -> None:
    job = await world.running(worker="worker-9")
    failure = a_failure(stack="Traceback …", retry_after=timedelta(seconds=90))
    move = failed(job, failure, now=world.now)

    await world.saved(move)

    [entry] = (await world.story(job)).history
    assert entry == move.history
    assert (entry.fact, entry.attempt, entry.worker) == (Fact.RETRY_SCHEDULED, 1, "worker-9")
    assert entry.failure == failure


async def test_what_an_operator_did_is_told_in_the_history(world: StoreWorld) -> None:
    dead = await world.dead()
    again = await world.saved(requeued(dead, world))
    await world.saved(again.cancel(now=world.now, stamp=a_stamp()))

    story = await world.story(dead)
    assert [entry.fact for entry in story.history] == [Fact.DEAD_LETTERED, Fact.REQUEUED, Fact.CANCELLED]
    assert [entry.version for entry in story.history] == [3, 4, 5]
    assert story.history[1].failure is None


async def test_a_success_needs_no_history(world: StoreWorld) -> None:
    assert (await world.story(await world.done())).history == ()


async def test_the_last_25_entries_are_kept_in_their_order(world: StoreWorld) -> None:
    job = await world.queued(max_attempts=100)
    for _ in range(27):
        running = await world.saved(started(job, now=world.now))
        job = await world.saved(handed_back(running, now=world.now))

    versions = [entry.version for entry in (await world.story(job)).history]
    assert versions == list(range(job.version - 48, job.version + 1, 2))


# --- the count of announcements ---


async def test_a_save_that_knew_nothing_of_an_announcement_leaves_it_counted(world: StoreWorld) -> None:
    seen = await world.queued()
    await world.store.outbox.announce([seen.fence], rows=[a_stamp()])
    await world.store.outbox.announce([seen.fence], rows=[a_stamp()])

    saved = await world.saved(seen.defer(HOUR, "x", now=world.now, stamp=a_stamp()))

    assert saved.announces == (await world.seen(seen)).announces == 2


async def test_a_start_counts_announcements_anew(world: StoreWorld) -> None:
    seen = await world.queued()
    await world.store.outbox.announce([seen.fence], rows=[a_stamp()])

    saved = await world.saved(started(seen, now=world.now))

    assert saved.announces == (await world.seen(seen)).announces == 0


async def test_a_requeue_counts_announcements_anew(world: StoreWorld) -> None:
    seen = await world.queued(announces=3)
    cancelled = await world.saved(seen.cancel(now=world.now, stamp=a_stamp()))
    assert cancelled.announces == 3

    again = await world.saved(requeued(cancelled, world))

    assert again.announces == (await world.seen(seen)).announces == 0


async def test_no_count_is_copied_from_a_snapshot(world: StoreWorld) -> None:
    job = await world.running()

    await world.saved(failed(evolve(job, announces=7), now=world.now))

    assert (await world.seen(job)).announces == 0
