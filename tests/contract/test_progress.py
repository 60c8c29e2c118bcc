"""``ProgressBoard``: the newest word of each running job, and of no other."""

import pytest

from jobmill.application.errors import StorageRefused
from jobmill.application.ports.progress import Progress, ProgressReport
from jobmill.domain.job import Job

from tests.builders import MINUTE, handed_back, started, succeeded
from tests.contract.store_world import StoreWorld


def report(job: Job, fraction: float = 0.5, note: str | None = None) -> ProgressReport:
    return ProgressReport(fence=job.fence, attempt=job.attempt, fraction=fraction, note=note)


async def said(world: StoreWorld, job: Job) -> tuple[float, str | None, int] | None:
    progress = (await world.story(job)).progress
    return None if progress is None else (progress.fraction, progress.note, progress.attempt)


async def test_a_job_that_says_nothing_has_no_progress(world: StoreWorld) -> None:
    job = await world.running()
    await world.store.progress.write([])

    assert (await world.story(job)).progress is None


async def test_what_a_running_job_says_is_told_with_the_stores_time(world: StoreWorld) -> None:
    job, other = await world.running(), await world.running()

    await world.store.progress.write([report(other, 0.0), report(job, 0.123456789, "so weit, so gut ✓")])

    progress = (await world.story(job)).progress
    assert progress is not None
    assert progress == Progress(fraction=0.123456789, note="so weit, so gut ✓", attempt=1, at=progress.at)
    assert abs(progress.at - world.now) < MINUTE
    assert await said(world, other) == (0.0, None, 1)


async def test_the_newest_word_stands_in_the_place_of_the_last(world: StoreWorld) -> None:
    job = await world.running()
    await world.store.progress.write([report(job, 0.5, "half")])

    await world.store.progress.write([report(job, 1.0)])

    assert await said(world, job) == (1.0, None, 1)


async def test_a_renewed_lease_and_a_wish_to_stop_do_not_silence_a_job(world: StoreWorld) -> None:
    job = await world.running()
    await world.store.leases.renew([job.fence], ttl=MINUTE)
    await world.store.leases.ask_to_stop([job.id])

    await world.store.progress.write([report(job, 0.7)])

    assert await said(world, job) == (0.7, None, 1)


async def test_a_run_that_lost_its_job_has_no_say(world: StoreWorld) -> None:
    lost = await world.running()
    waiting = await world.saved(handed_back(lost, now=world.now))
    again = await world.saved(started(waiting, worker="another", now=world.now))
    stays = await world.running()
    await world.store.progress.write([report(again, 0.1)])

    await world.store.progress.write([report(lost, 0.9), report(stays, 0.2)])

    assert await said(world, again) == (0.1, None, again.attempt)
    assert await said(world, stays) == (0.2, None, 1)


async def test_a_job_that_is_over_says_nothing_more_and_its_last_word_stands(world: StoreWorld) -> None:
    job = await world.running()
    await world.store.progress.write([report(job, 0.5)])
    done = await world.saved(succeeded(job, now=world.now))

    await world.store.progress.write([report(job, 0.9), report(done, 1.0)])

    assert await said(world, done) == (0.5, None, 1)


async def test_a_job_that_waits_has_no_say(world: StoreWorld) -> None:
    job = await world.queued()

    await world.store.progress.write([report(job)])

    assert await said(world, job) is None


async def test_a_note_that_no_store_can_hold_is_refused_and_nothing_is_written(world: StoreWorld) -> None:
    good, bad = await world.running(), await world.running()

    with pytest.raises(StorageRefused):
        await world.store.progress.write([report(good), report(bad, note="\ud800")])

    assert await said(world, good) is None
