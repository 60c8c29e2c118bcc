"""A worker on a real broker, whose lanes strangers fill with whatever: it sets that aside and works on."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

import aiormq
import pytest
from pamqp.commands import Basic

from jobmill.application.codec.parcels import FutureParcel, UnreadableParcel, open_parcel
from jobmill.application.codec.submit_request import read_submit
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.entrypoints.container import Container, migrate_store, open_container, open_registry
from jobmill.entrypoints.processes import _worker_engine
from jobmill.entrypoints.settings import Settings

from tests.fuzz.conftest import Tried
from tests.fuzz.raw_amqp import ODD, UNREADABLE, publish_raw
from tests.fuzz.strategies import EVIL_TEXTS, damage
from tests.fuzz.test_codec import parcels
from tests.servers.amqp_place import AmqpPlace
from tests.servers.waiting import until

pytestmark = pytest.mark.timeout(600)

LANES: Final = ("simulate.high", "simulate.normal", "default.low")
PARCELS: Final = 400
GOOD_JOBS: Final = 30
DONE_WITHIN_S: Final = 50.0


@asynccontextmanager
async def working(place: AmqpPlace, folder: Path) -> AsyncGenerator[Container]:
    """A worker's services, which run as long as the block; nothing of them may end before."""
    place.uses("call", "email", "push", "simulate", "sms", "webhook")
    settings = Settings(home=folder, broker_url=(place.url,), prefix=place.prefix)
    await migrate_store(settings)
    async with open_registry(settings) as registry, open_container(settings, registry) as container:
        await container.topology().apply()
        async with _worker_engine(container, settings, watches_store=False).running() as failed:
            yield container
            assert not failed.done(), failed.exception()


async def test_damaged_parcels_are_quarantined_and_good_jobs_run_between_them(
    amqp: AmqpPlace, tmp_path: Path, tried: Tried, factor: int
) -> None:
    bodies = list(_bodies(PARCELS * factor))
    expected = sum(_quarantined(body) for body in bodies)

    async with working(amqp, tmp_path) as worker, _channel(amqp) as channel:
        good = []
        for at, body in enumerate(bodies):
            chance = Random(at)
            await channel.basic_publish(
                body, exchange=amqp.prefix, routing_key=chance.choice(LANES), properties=_properties(chance)
            )
            if at % (len(bodies) // GOOD_JOBS) == 0:
                good.append(await _submits(worker))
        await _end_well(worker, good)

        assert await _quarantine_holds(worker, expected)
        assert all(letter.reason for letter in await _letters(worker))

    tried(len(bodies))


async def test_properties_that_no_library_reads_cost_no_connection(
    amqp: AmqpPlace, tmp_path: Path, tried: Tried, factor: int, caplog: pytest.LogCaptureFixture
) -> None:
    kinds = list({**UNREADABLE, **ODD}.items()) * 5 * factor

    async with working(amqp, tmp_path) as worker, _channel(amqp) as channel:
        good = []
        for _, (flags, properties) in kinds:
            await publish_raw(
                channel, amqp.prefix, "simulate.normal", b"x", flags=flags, properties=properties
            )
            good.append(await _submits(worker))
        await _end_well(worker, good)
        assert await _quarantine_holds(worker, len(kinds))
        letters = await _letters(worker)

    unread = [letter for letter in letters if "x-jobmill-unreadable" in letter.headers]
    assert len(unread) == len(UNREADABLE) * 5 * factor
    assert not [record for record in caplog.records if "RabbitMQ is away" in record.message]
    tried(len(kinds))


async def test_a_parcel_of_a_later_release_ends_among_the_dead_ones_if_no_later_worker_comes(
    amqp: AmqpPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobmill.application.receiver._PAUSE_S", 0.0)
    async with working(amqp, tmp_path) as worker, _channel(amqp) as channel:
        await channel.basic_publish(b'{"schema":2}', exchange=amqp.prefix, routing_key="simulate.normal")

        async def is_dead() -> bool:
            dead = await channel.queue_declare(f"{amqp.prefix}.simulate.dead", passive=True)
            return dead.message_count == 1

        assert await until(is_dead, within_s=DONE_WITHIN_S)
        await _end_well(worker, [await _submits(worker)])
        assert await _letters(worker) == []


def _bodies(count: int) -> Iterator[bytes]:
    """Damaged parcels for the most part, some that are right in form and speak of nobody, some monstrous."""
    originals = parcels()
    monsters = [
        b"",
        b"[" * 200_000,
        b'{"schema":1,"jobs":[' + b"0," * 200_000 + b"0]}",
        b'{"schema":1,"jobs":[' + b"{}," * 900 + b"{}]}",
        b'{"schema":1,"jobs":"' + b"x" * 2_000_000 + b'"}',
        b'{"schema":0,"jobs":[]}',
        b'{"schema":1.0,"jobs":[]}',
        b'{"schema":' + b"9" * 5_000 + b',"jobs":[]}',
        json.dumps({"schema": 1, "jobs": [EVIL_TEXTS]}).encode(),
        b"\x1f\x8b\x08\x00" + b"\x00" * 100,
        *originals,
    ]
    yield from monsters
    for seed in range(count - len(monsters)):
        yield damage(Random(seed), originals)


def _quarantined(body: bytes) -> int:
    """How many letters a body becomes; one of a later release is none, and goes back."""
    try:
        return len(open_parcel(body).bad)
    except UnreadableParcel:
        return 1
    except FutureParcel:
        return 0


def _properties(chance: Random) -> Basic.Properties:
    if chance.random() < 0.5:
        return Basic.Properties()
    text = chance.choice([each for each in EVIL_TEXTS if len(each) < 60 and each.isascii()])
    headers: dict[str, Any] = {
        text or "none": chance.choice(
            [text, 1, None, True, [1, [2]], {"a": {"b": text}}, 1.5, bytearray(b"\xff")]
        ),
        "jobmill-count": chance.choice(["many", -1, 2**62, None]),
    }
    return Basic.Properties(
        headers=headers,
        content_type=text,
        content_encoding="gzip",
        priority=9,
        reply_to=text,
        delivery_mode=1,
    )


async def _submits(worker: Container) -> Job:
    command = read_submit({"type": "simulate", "payload": {"duration_s": 0}})
    [accepted] = await worker.submitter().submit([command])
    job: Job = accepted.job
    return job


async def _end_well(worker: Container, jobs: list[Job]) -> None:
    async def all_did() -> bool:
        found = await worker.store().jobs.get([job.id for job in jobs])
        return all(job is not None and job.state is JobState.SUCCEEDED for job in found)

    assert await until(all_did, within_s=DONE_WITHIN_S)


async def _quarantine_holds(worker: Container, expected: int) -> bool:
    """So many, and no more when all lanes are empty and a while has passed in which something could loop."""

    async def so_many() -> bool:
        return len(await _letters(worker)) == expected and not sum(
            (await worker.bus().depths(worker.lanes())).values()
        )

    held = await until(so_many, within_s=DONE_WITHIN_S)
    await asyncio.sleep(0.5)
    return held and await so_many()


async def _letters(worker: Container) -> list[Any]:
    return list(await worker.store().quarantine.page(limit=100_000))


@asynccontextmanager
async def _channel(place: AmqpPlace) -> AsyncGenerator[aiormq.abc.AbstractChannel]:
    connection = await aiormq.connect(place.url)
    try:
        yield await connection.channel(publisher_confirms=False)
    finally:
        await connection.close()
