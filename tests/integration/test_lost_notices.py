"""RabbitMQ loses single messages, and PostgreSQL with a barrier knows which."""

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiormq
import pytest_asyncio

from jobmill.application.commands import SubmitJob
from jobmill.application.lost_notices import LostNotices
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.entrypoints.container import Container

from tests.integration.whole import LEASE, engine_of, open_whole
from tests.nodes import Notes
from tests.servers.amqp_place import AmqpPlace
from tests.servers.waiting import until

SLACK: Final = timedelta(seconds=0.5)


@pytest_asyncio.fixture
async def container(amqp: AmqpPlace, migrated_url: str, tmp_path: Path) -> AsyncGenerator[Container]:
    async with open_whole(amqp, migrated_url, tmp_path) as opened:
        yield opened


def finder_of_lost_notices(container: Container, notes: Notes) -> LostNotices:
    store = container.store()
    return LostNotices(
        barriers=store.barriers,
        outbox=store.outbox,
        bus=container.bus(),
        relay=container.relay(),
        lanes=container.lanes(),
        commits=container.commits(),
        clock=store.clock,
        entropy=container.entropy(),
        observer=notes,
        lease=LEASE,
        slack=SLACK,
    )


async def submitted(container: Container, count: int) -> list[Job]:
    """Jobs that are with the broker, each in a parcel of its own."""
    jobs = []
    for _ in range(count):
        command = SubmitJob(type="simulate", payload={"duration_s": 0})
        [accepted] = await container.submitter().submit([command])
        jobs.append(accepted.job)
        await container.relay().drained(within_s=10)
    return jobs


async def all_done(container: Container, jobs: Sequence[Job], finder: LostNotices) -> bool:
    """A step, and whether every job has succeeded at its first attempt."""
    await finder.step()
    rows = await container.store().jobs.get([job.id for job in jobs])
    return all(row and row.state is JobState.SUCCEEDED and row.attempt == 1 for row in rows)


async def test_what_rabbitmq_loses_is_announced_again_and_nothing_else(
    container: Container, amqp: AmqpPlace
) -> None:
    async with engine_of(container, works=False).running():
        jobs = await submitted(container, 5)
        await _take_the_first(amqp, f"{amqp.prefix}.simulate.normal")
    notes = Notes()
    finder = finder_of_lost_notices(container, notes)

    async with engine_of(container, works=True).running():
        assert await until(lambda: all_done(container, jobs, finder), within_s=30)

    assert notes.events == [("lost notices replaced", {"jobs": 1})]


async def test_a_purged_lane_comes_back_whole(container: Container, amqp: AmqpPlace) -> None:
    async with engine_of(container, works=False).running():
        jobs = await submitted(container, 8)
        await amqp.purge(f"{amqp.prefix}.simulate.normal")
    notes = Notes()
    finder = finder_of_lost_notices(container, notes)

    async with engine_of(container, works=True).running():
        assert await until(lambda: all_done(container, jobs, finder), within_s=30)

    assert set(notes.names) == {"lost notices replaced"}
    assert sum(int(str(fields["jobs"])) for _, fields in notes.events) == 8


async def _take_the_first(amqp: AmqpPlace, queue: str) -> None:
    connection = await aiormq.connect(amqp.url)
    try:
        channel = await connection.channel()
        message = await channel.basic_get(queue)
        assert message.delivery_tag is not None, "the lane is empty"
        await channel.basic_ack(message.delivery_tag)
    finally:
        await connection.close()
