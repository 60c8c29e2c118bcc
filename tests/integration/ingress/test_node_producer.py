"""A producer in Node publishes every shape, doubled and amid garbage: each message becomes a job once."""

import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiormq
import pytest

from jobmill.application.ports.job_finder import JobQuery
from jobmill.domain.job import Job
from jobmill.domain.states import JobState, Priority
from jobmill.entrypoints.container import Container, migrate_store, open_container, open_registry
from jobmill.entrypoints.processes import _worker_engine
from jobmill.entrypoints.settings import Settings

from tests.integration.ingress.node_client import NodeProducer, node_producer
from tests.servers.amqp_place import AmqpPlace
from tests.servers.waiting import until

pytestmark = pytest.mark.timeout(300)

COUNT = 20
GARBAGE = 7
DONE_WITHIN_S = 90.0


@pytest.fixture
def node() -> NodeProducer:
    return node_producer()


def queues_of(place: AmqpPlace) -> dict[str, str]:
    """A queue for each shape; all but that of the envelope are strangers' and named by them."""
    theirs = {name: f"{place.prefix}-{name}" for name in ("calls", "events", "plain", "cloudevents")}
    place.delete_later(queues=theirs.values())
    return theirs | {"envelope": f"{place.prefix}.ingress"}


def settings_of(place: AmqpPlace, database_url: str, home: Path, queues: dict[str, str]) -> Settings:
    bindings = {
        "calls": {"queue": queues["calls"], "shape": "call", "type": "call.process"},
        "events": {"queue": queues["events"], "shape": "event", "types": {"ODDS_UPDATED": "odds.update"}},
        "plain": {
            "queue": queues["plain"],
            "shape": "plain",
            "types": {"TASK_CREATED": "task.created"},
            "dedup": "/payload/id",
        },
        "cloudevents": {
            "queue": queues["cloudevents"],
            "shape": "cloudevents",
            "types": {"com.shop.paid": "order.paid"},
        },
    }
    return Settings.from_env(
        {
            "JOBMILL_HOME": str(home),
            "JOBMILL_DATABASE_URL": database_url,
            "JOBMILL_BROKER_URL": place.url,
            "JOBMILL_PREFIX": place.prefix,
            "JOBMILL_HANDLERS": "tests.integration.ingress.shop",
            "JOBMILL_INGRESS": json.dumps(bindings),
        }
    )


@asynccontextmanager
async def opened(place: AmqpPlace, settings: Settings) -> AsyncGenerator[Container]:
    await migrate_store(settings)
    async with open_registry(settings) as registry, open_container(settings, registry) as container:
        place.uses(*registry.queues)
        await container.topology().apply()
        yield container


async def jobs_of(worker: Container) -> list[Job]:
    return list(await worker.store().finder.page(JobQuery(limit=1_000)))


async def left_in(place: AmqpPlace, queues: dict[str, str]) -> int:
    connection = await aiormq.connect(place.url)
    try:
        channel = await connection.channel()
        looks = [await channel.queue_declare(queue, passive=True) for queue in queues.values()]
    finally:
        await connection.close()
    return sum(look.message_count or 0 for look in looks)


async def test_every_shape_becomes_jobs_once_with_duplicates_and_garbage_between(
    amqp: AmqpPlace, migrated_url: str, tmp_path: Path, node: NodeProducer
) -> None:
    queues = queues_of(amqp)
    settings = settings_of(amqp, migrated_url, tmp_path, queues)
    # Of the calls the queue is there before, with arguments of its own; of the others the worker makes it.
    early = await node.publishes(amqp.url, queues={"calls": queues["calls"]}, count=COUNT)

    async with (
        opened(amqp, settings) as worker,
        _worker_engine(worker, settings, watches_store=False).running() as failed,
    ):
        tally = worker.ingress().tally

        async def took(messages: int) -> bool:
            return sum(tally.values()) == messages

        assert await until(lambda: took(early), within_s=DONE_WITHIN_S)
        # Asserts every queue as the producer wants it: the worker has neither changed nor mismade one.
        sent = await node.publishes(amqp.url, queues=queues, count=COUNT)
        assert sent == 5 * (2 * COUNT + GARBAGE)
        assert await until(lambda: took(early + sent), within_s=DONE_WITHIN_S)

        async def all_done() -> bool:
            return {job.state for job in await jobs_of(worker)} == {JobState.SUCCEEDED}

        assert await until(all_done, within_s=DONE_WITHIN_S)
        assert not failed.done()
        jobs = await jobs_of(worker)
        letters = await worker.store().quarantine.page(limit=1_000)

    assert len(jobs) == 5 * COUNT
    assert Counter(job.type for job in jobs) == {
        "call.process": COUNT,
        "odds.update": COUNT,
        "task.created": COUNT,
        "order.paid": 2 * COUNT,
    }
    assert len({(job.type, job.result) for job in jobs}) == 5 * COUNT
    assert {job.attempt for job in jobs} == {1}
    assert Counter(letter.source for letter in letters) == {
        queue: 2 * GARBAGE if name == "calls" else GARBAGE for name, queue in queues.items()
    }
    assert {letter.headers.get("x-from") for letter in letters} == {"node"}
    assert await left_in(amqp, queues) == 0
    _check_origins(jobs)


def _check_origins(jobs: list[Job]) -> None:
    """What the senders said is kept beside their jobs."""
    origins = {job.id: json.loads(job.origin or "null") for job in jobs}
    by_binding: dict[str, list[Job]] = {}
    for job in jobs:
        by_binding.setdefault(origins[job.id]["binding"], []).append(job)
    assert {name: len(each) for name, each in by_binding.items()} == dict.fromkeys(
        ("default", "calls", "events", "plain", "cloudevents"), COUNT
    )
    assert {origins[job.id]["attempt"] for job in by_binding["calls"]} == {1}
    assert all("timestamp" in origins[job.id] for job in by_binding["calls"] + by_binding["events"])
    assert {origins[job.id]["source"] for job in by_binding["cloudevents"]} == {"/shop"}
    assert {job.priority for job in by_binding["default"]} == {Priority.HIGH}
