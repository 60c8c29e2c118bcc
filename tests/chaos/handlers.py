"""The job types of the trial. Every run that ends is written down, so that effects can be counted."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta

from attrs import frozen
from sqlalchemy import text

from jobmill import JobContext, JobHandlers, PermanentFailure, RetryPolicy

from tests.chaos.recorder import recorder

#: A trial kills workers all the time, and each kill costs what it held an attempt.
PATIENT = RetryPolicy(max_attempts=20, base=timedelta(milliseconds=100), cap=timedelta(seconds=4))

CHARGE = text("insert into chaos.charges (job_id, attempt) values (:job_id, :attempt)")

handlers = JobHandlers()


@frozen
class Task:
    """What one job does.

    Args:
        duration_s: how long it works.
        fail_first: attempts that fail before one succeeds.
        kill_first: attempts that kill their worker before one succeeds.
        hopeless: it can never succeed.
    """

    duration_s: float = 0.0
    fail_first: int = 0
    kill_first: int = 0
    hopeless: bool = False


@handlers.register("chaos.quick", retry=PATIENT)
async def quick(task: Task, job: JobContext) -> None:
    """Do nothing much, or fail as told."""
    await _work(task, job)


@handlers.register("chaos.slow", queue="slow", retry=PATIENT)
async def slow(task: Task, job: JobContext) -> None:
    """Take a while."""
    await _work(task, job)


@handlers.register("chaos.poison", queue="slow", retry=PATIENT)
async def poison(task: Task, job: JobContext) -> None:
    """Kill the worker, as a fault in a native library would."""
    if job.attempt <= task.kill_first:
        os.kill(os.getpid(), signal.SIGKILL)
    await _work(task, job)


@handlers.register("chaos.charge", retry=PATIENT)
async def charge(task: Task, job: JobContext) -> None:
    """Write something in the very transaction in which the job succeeds."""
    await asyncio.sleep(task.duration_s)
    async with job.transaction() as connection:
        await connection.execute(CHARGE, {"job_id": job.job_id, "attempt": job.attempt})


async def _work(task: Task, job: JobContext) -> None:
    started_at = datetime.now(UTC)
    if task.duration_s:
        await asyncio.sleep(task.duration_s)
    if task.hopeless:
        raise PermanentFailure("this one is hopeless")
    if job.attempt <= task.fail_first:
        raise ConnectionError("this attempt was told to fail")
    await recorder().effect(job, started_at=started_at)
