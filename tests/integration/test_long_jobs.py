"""A job longer than the broker's patience: the delivery is long acknowledged, and the job completes once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiormq
import pytest

from jobmill.application.commands import SubmitJob
from jobmill.domain.lease import LeasePolicy
from jobmill.domain.states import JobState
from jobmill.entrypoints.container import Container, migrate_store, open_container, open_registry
from jobmill.entrypoints.engine import Engine
from jobmill.entrypoints.settings import Settings

from tests.servers.private_rabbitmq import private_rabbitmq
from tests.servers.waiting import until

#: Instead of half an hour, and looked at every second instead of every minute.
PATIENCE_S = 5
IMPATIENT = f"[{{rabbit, [{{consumer_timeout, {PATIENCE_S * 1000}}}, {{channel_tick_interval, 1000}}]}}]."
LONG_S = 3 * PATIENCE_S
LEASE = LeasePolicy(
    ttl=timedelta(seconds=2),
    renew_every=timedelta(seconds=0.5),
    margin=timedelta(seconds=0.2),
    ack_deadline=timedelta(seconds=2),
)
COMPLAINT = "delivery acknowledgement on channel"


@pytest.mark.rabbitmq
@pytest.mark.timeout(180)
async def test_a_job_that_outlasts_the_patience_of_the_broker_completes_once(
    postgres_url: str, tmp_path: Path
) -> None:
    async with private_rabbitmq(advanced=IMPATIENT) as rabbit:
        settings = Settings(database_url=postgres_url, broker_url=(rabbit.url,), home=tmp_path)
        async with _worker(settings) as container:
            [accepted] = await container.submitter().submit(
                [SubmitJob(type="simulate", payload={"duration_s": LONG_S})]
            )

            async def is_over() -> bool:
                [job] = await container.commits().look([accepted.job.id])
                assert job is not None
                return job.state not in {JobState.QUEUED, JobState.PROCESSING, JobState.RETRYING}

            assert await until(is_over, within_s=4 * LONG_S)
            story = await container.inspector().story(accepted.job.id)
        complained = COMPLAINT in (rabbit.place / "server.log").read_text()
        await _hold_a_message_for_ever(rabbit.url)

        assert (story.job.state, story.job.attempt) == (JobState.SUCCEEDED, 1)
        assert list(story.history) == []
        assert not complained, "the broker had to close a channel"


@asynccontextmanager
async def _worker(settings: Settings) -> AsyncGenerator[Container]:
    """A worker in this process, with short deadlines."""
    await migrate_store(settings)
    async with (
        open_registry(settings) as registry,
        open_container(settings, registry) as container,
    ):
        await container.topology().apply()
        with container.lease.override(LEASE):
            engine = Engine(
                relay=container.relay(),
                commits=container.commits(),
                store=container.store(),
                observer=container.observer(),
                consumer=container.consumer(),
                keeper=container.keeper(),
                leader=container.leader(),
            )
            async with engine.running():
                yield container


async def _hold_a_message_for_ever(url: str) -> None:
    """The broker does lose its patience with others: it closes their channel."""
    connection = await aiormq.connect(url)
    try:
        channel = await connection.channel(publisher_confirms=True)
        queue = (await channel.queue_declare("held", durable=True)).queue or ""
        received = asyncio.Event()

        async def hold(_: object) -> None:
            received.set()

        await channel.basic_consume(queue, hold)
        await channel.basic_publish(b"x", routing_key=queue)
        async with asyncio.timeout(4 * PATIENCE_S):
            await received.wait()
            await asyncio.wait({asyncio.ensure_future(asyncio.shield(channel.closing))})
    finally:
        await connection.close()
