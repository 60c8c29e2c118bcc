"""The deletion itself repeats what makes a job past, whatever was found before it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from jobmill.adapters.sql.retention import SqlRetention
from jobmill.domain.idempotency import KeyClaim
from jobmill.domain.job import Job
from jobmill.domain.retention import Retention
from jobmill.domain.states import JobState

from tests.builders import DAY, HOUR, a_job_that_is, an_id_made
from tests.contract.store_world import StoreWorld

KEEP = Retention(done=DAY, dead=10 * DAY).by_state


async def ended(world: StoreWorld, state: JobState, ago: timedelta, *keys: KeyClaim) -> Job:
    job = a_job_that_is(state, now=world.now - ago, id=an_id_made(world.now - ago))
    return await world.has(job, keys=keys)


async def test_what_is_past_no_more_when_it_comes_to_the_deletion_stays(
    world: StoreWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = await ended(world, JobState.SUCCEEDED, 5 * DAY)
    kept = [
        await ended(world, JobState.SUCCEEDED, HOUR),
        await ended(world, JobState.QUEUED, 5 * DAY),
        await ended(world, JobState.FAILED, 5 * DAY),
        await ended(world, JobState.SUCCEEDED, 5 * DAY, KeyClaim(scope="s", key="k", hold=HOUR)),
    ]

    async def all_of_them(
        _self: SqlRetention, _connection: object, _keep: Mapping[JobState, timedelta], _limit: int
    ) -> Sequence[tuple[UUID, JobState]]:
        return [(job.id, state) for job in (past, *kept) for state in KEEP]

    monkeypatch.setattr(SqlRetention, "_found", all_of_them)

    assert await world.store.retention.delete_jobs(KEEP, limit=100) == 1
    assert await world.store.jobs.get([job.id for job in (past, *kept)]) == [None, *kept]
