"""Batch handlers in a virtual mill: they run unchanged, and crashes come where they were planned."""

from collections.abc import Sequence
from datetime import timedelta

from attrs import frozen

from jobmill import BatchJob, JobHandlers, PermanentFailure, Submission
from jobmill.testing import SyncVirtualMill, VirtualMill, virtually

handlers = JobHandlers()
sent: list[list[int]] = []


@frozen
class Push:
    device: int


@handlers.register_batch("push.send", queue="push", jobs_max=3, wait=timedelta(seconds=1))
async def send_pushes(jobs: Sequence[BatchJob[Push]]) -> None:
    sent.append([job.payload.device for job in jobs])
    for job in jobs:
        if job.payload.device < 0:
            job.fail(PermanentFailure("no such device"))
        else:
            job.succeed({"sent": job.payload.device})


@virtually
async def test_jobs_of_a_batch_handler_run_together_and_end_each_by_itself() -> None:
    sent.clear()
    async with VirtualMill(workers=1) as mill:
        good, bad = await mill.submit_many([Submission(send_pushes, Push(n)) for n in (4, -1)])
        await mill.run_until_idle()

        assert (await mill.job(good)).result == {"sent": 4}
        mill.expect(bad).failed(reason="no such device", attempts=1)
    assert sent == [[4, -1]]


@virtually
async def test_a_crash_before_the_outcomes_are_stored_repeats_the_jobs() -> None:
    sent.clear()
    async with VirtualMill(handlers, workers=1) as mill:
        mill.crash(send_pushes, after="effect")
        jobs = await mill.submit_many([Submission(send_pushes, Push(n)) for n in range(3)])
        await mill.run_until_idle()

        for job in jobs:
            mill.expect(job).succeeded(attempts=2)
    assert sent[0] == [0, 1, 2]
    assert sorted(sent[1:]) == [[0], [1], [2]], "each may have killed the worker, so it runs alone"


def test_the_mill_for_tests_without_coroutines_runs_them_too() -> None:
    with SyncVirtualMill(handlers) as mill:
        job = mill.submit(send_pushes, Push(5))
        mill.run_until_idle()

        assert mill.job(job).result == {"sent": 5}
