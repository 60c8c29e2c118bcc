"""A fair queue on RabbitMQ and PostgreSQL: turns between tenants, a lost notice in a share, fewer shares."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Final

import pytest_asyncio

from jobmill.application.commands import SubmitJob
from jobmill.domain.job import Job
from jobmill.domain.options import JobOptions
from jobmill.domain.states import JobState
from jobmill.entrypoints.container import Container

from tests.integration.test_lost_notices import finder_of_lost_notices
from tests.integration.whole import engine_of, open_whole
from tests.nodes import Notes
from tests.servers.amqp_place import AmqpPlace
from tests.servers.waiting import until

FLOOD: Final = 400
FAIR: Final = {"fair_queues": "simulate:4", "concurrency": "4"}


@pytest_asyncio.fixture
async def container(amqp: AmqpPlace, migrated_url: str, tmp_path: Path) -> AsyncGenerator[Container]:
    async with open_whole(amqp, migrated_url, tmp_path, **FAIR) as opened:
        yield opened


async def submitted(container: Container, tenant: str, *, count: int, duration_s: float) -> list[Job]:
    """Jobs of a tenant that are with the broker."""
    command = SubmitJob(
        type="simulate", payload={"duration_s": duration_s}, options=JobOptions(tenant=tenant)
    )
    accepted = await container.submitter().submit([command] * count)
    await container.relay().drained(within_s=20)
    return [each.job for each in accepted]


async def rows(container: Container, jobs: Sequence[Job]) -> list[Job]:
    found = await container.store().jobs.get([job.id for job in jobs])
    return [row for row in found if row is not None]


async def all_done(container: Container, jobs: Sequence[Job]) -> bool:
    return {row.state for row in await rows(container, jobs)} == {JobState.SUCCEEDED}


async def test_few_jobs_pass_a_flood_of_another_tenant(container: Container) -> None:
    lanes = container.fair()
    async with engine_of(container, works=False).running():
        flood = await submitted(container, "flood", count=FLOOD, duration_s=0.05)
        few = await submitted(container, "acme", count=5, duration_s=0.05)
    assert lanes.lane_of(flood[0]) != lanes.lane_of(few[0])

    async with engine_of(container, works=True).running():
        assert await until(lambda: all_done(container, few), within_s=60)

    last = max(row.started_at for row in await rows(container, few) if row.started_at)
    before = [row for row in await rows(container, flood) if row.started_at and row.started_at <= last]
    assert len(before) < FLOOD / 2


async def test_every_share_is_worked_off_and_a_notice_that_one_lost_is_found(
    container: Container, amqp: AmqpPlace
) -> None:
    async with engine_of(container, works=False).running():
        jobs: list[Job] = []
        for tenant in map(str, range(24)):
            jobs += await submitted(container, tenant, count=2, duration_s=0)
        lanes = {container.fair().lane_of(job) for job in jobs}
        assert {lane.share for lane in lanes} == {0, 1, 2, 3}
        await amqp.purge(f"{amqp.prefix}.simulate.normal.3")
    notes = Notes()
    finder = finder_of_lost_notices(container, notes)

    async def found() -> bool:
        await finder.step()
        return await all_done(container, jobs)

    async with engine_of(container, works=True).running():
        assert await until(found, within_s=60)

    lost = sum(container.fair().lane_of(job).share == 3 for job in jobs)
    assert sum(int(str(fields["jobs"])) for _, fields in notes.events) == lost


async def test_what_lies_in_shares_that_are_no_more_is_found(
    amqp: AmqpPlace, migrated_url: str, tmp_path: Path
) -> None:
    jobs: list[Job] = []
    async with open_whole(amqp, migrated_url, tmp_path, **FAIR) as before:
        async with engine_of(before, works=False).running():
            for tenant in map(str, range(24)):
                jobs += await submitted(before, tenant, count=2, duration_s=0)
        left = {job.id for job in jobs if before.fair().lane_of(job).share}

    async with open_whole(amqp, migrated_url, tmp_path) as after:
        notes = Notes()
        finder = finder_of_lost_notices(after, notes)

        async def found() -> bool:
            await finder.step()
            return await all_done(after, jobs)

        async with engine_of(after, works=True).running():
            assert await until(found, within_s=60)

    assert sum(int(str(fields["jobs"])) for _, fields in notes.events) == len(left)
    assert {row.attempt for row in await _read(migrated_url, amqp, tmp_path, jobs)} == {1}


async def _read(migrated_url: str, amqp: AmqpPlace, home: Path, jobs: Sequence[Job]) -> list[Job]:
    async with open_whole(amqp, migrated_url, home) as container:
        return await rows(container, jobs)
