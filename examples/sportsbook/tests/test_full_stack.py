"""All that ``compose.yaml`` starts, on RabbitMQ and PostgreSQL: late updates, dead letters, a death."""

import json
import random
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from pathlib import Path

import aiormq
import asyncpg
import pytest
import pytest_asyncio
from attrs import frozen

import jobmill
from jobmill import Client, JobState, Submission

from odds_board.setup import set_up
from tests.examples.copied import Example, copied
from tests.examples.starting import WITHIN_S, answers, prints, succeeds
from tests.servers.amqp_place import AmqpPlace
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SELECTIONS = 20
UPDATES = 400


@frozen(kw_only=True)
class Stack:
    mill: Client
    database: asyncpg.Connection
    example: Example
    worker: ServerProcess
    consumer: ServerProcess
    amqp: AmqpPlace

    async def prices(self) -> dict[str, int]:
        found = await self.database.fetch("SELECT id, price_milli FROM board WHERE kind = 'odds'")
        return {row["id"]: row["price_milli"] for row in found}


@pytest_asyncio.fixture
async def stack(tmp_path: Path, amqp: AmqpPlace, postgres_url: str) -> AsyncGenerator[Stack]:
    amqp.uses("feed", "email", "webhook", "simulate", "sms", "call", "push")
    [port] = free_ports(1)
    url = f"http://localhost:{port}"
    settings = {
        "JOBMILL_PORT": str(port),
        "JOBMILL_DATABASE_URL": postgres_url,
        "JOBMILL_BROKER_URL": amqp.url,
        "JOBMILL_PREFIX": amqp.prefix,
        "JOBMILL_LOG": "info",
        "JOBMILL_LOG_FORMAT": "console",
        "BOARD_URL": url,
    }
    async with copied("sportsbook", tmp_path, settings) as example:
        await succeeds(example, "jobmill migrate")
        await set_up(postgres_url)
        api = example.start("exec jobmill api", log="api")
        await answers(api, f"{url}/health/ready")
        worker = await new_worker(example, "worker")
        consumer = example.start("exec python -m odds_board.dead_letters --every 0.2", log="consumer")
        database = await asyncpg.connect(postgres_url)
        async with jobmill.connect(url) as mill:
            yield Stack(
                mill=mill, database=database, example=example, worker=worker, consumer=consumer, amqp=amqp
            )
        await database.close()


async def test_all_of_it(stack: Stack) -> None:
    await _what_died_is_retried_discarded_or_kept_by_rule(stack)
    await _late_and_doubled_updates_never_take_the_board_back_though_a_worker_is_killed(stack)


async def _late_and_doubled_updates_never_take_the_board_back_though_a_worker_is_killed(stack: Stack) -> None:
    sent = [odds(number) for number in range(UPDATES)] * 2
    random.Random(1).shuffle(sent)

    jobs = await stack.mill.submit_many(sent)
    await stack.mill.wait(jobs[0])
    await stack.worker.kill()
    await new_worker(stack.example, "another")
    done = [await stack.mill.wait(job) for job in jobs]

    assert {job.status for job in done} == {JobState.SUCCEEDED}
    newest = range(UPDATES - SELECTIONS, UPDATES)
    prices = await stack.prices()
    assert {name: price for name, price in prices.items() if name != "early"} == {
        f"s{number % SELECTIONS}": 2_000 + number for number in newest
    }


async def _what_died_is_retried_discarded_or_kept_by_rule(stack: Stack) -> None:
    early = await stack.mill.submit("boost.update", boost("early"))
    hopeless = await stack.mill.submit("boost.update", boost("never"))
    past = await stack.mill.submit("boost.update", boost("past"), ttl=timedelta(seconds=0.15))
    await published(stack, {"selection": "wrong"}, message_id="w")

    assert await until(lambda: said(stack, "retry    boost.update"), within_s=WITHIN_S)
    price = {"selection": "early", "sequence": 1, "price_milli": 2_000}
    for _ in range(2):
        await published(stack, price, message_id="once")

    async def is_well() -> bool:
        return (await stack.mill.get(early)).status is JobState.SUCCEEDED

    async def are_gone() -> bool:
        return {(await stack.mill.get(job)).status for job in (hopeless, past)} == {JobState.DISCARDED}

    assert await until(is_well, within_s=WITHIN_S)
    assert await until(are_gone, within_s=WITHIN_S)
    assert await until(lambda: said(stack, "keep     quarantined"), within_s=WITHIN_S)
    assert len(await stack.mill.list(type="odds.update")) == 1
    boosts = await stack.database.fetch("SELECT id FROM board WHERE kind = 'boost'")
    assert [row["id"] for row in boosts] == ["early"]


def odds(number: int) -> Submission[dict[str, int | str]]:
    payload: dict[str, int | str] = {
        "selection": f"s{number % SELECTIONS}",
        "sequence": 1 + number,
        "price_milli": 2_000 + number,
    }
    return Submission("odds.update", payload)


def boost(selection: str) -> dict[str, str | int]:
    return {"selection": selection, "sequence": 1, "price_milli": 2_500}


async def published(stack: Stack, payload: Mapping[str, object], *, message_id: str) -> None:
    """Publish as any producer does, with no library of Jobmill's."""
    connection = await aiormq.connect(stack.amqp.url)
    channel = await connection.channel()
    message = {"type": "odds.update", "payload": payload}
    properties = aiormq.spec.Basic.Properties(message_id=message_id, delivery_mode=2)
    await channel.basic_publish(
        json.dumps(message).encode(), routing_key=f"{stack.amqp.prefix}.ingress", properties=properties
    )
    await connection.close()


async def said(stack: Stack, words: str) -> bool:
    return words in stack.consumer.log.read_text()


async def new_worker(example: Example, name: str) -> ServerProcess:
    worker = example.start("exec jobmill worker", log=name)
    await prints(worker, "slots")
    return worker
