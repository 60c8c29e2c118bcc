"""The call desk on RabbitMQ and PostgreSQL: set-up, producer and workers, as in the README."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import aiormq
import pytest
import pytest_asyncio
from attrs import asdict, frozen

import jobmill
from jobmill import Client, Job, JobState, Priority

from call_desk.following import call_id, jobs_of, look
from call_desk.messages import CallMessage, calls, message
from call_desk.sending import by_broker
from call_desk.telephone import BUSY_TWICE, NOBODY, SOMEBODY
from tests.examples.copied import EXAMPLES, Example, copied
from tests.examples.starting import WITHIN_S, prints, succeeds
from tests.servers.amqp_place import AmqpPlace
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

#: Of one series; with one call at a time two workers are busy for a second or so.
CALLS = 60


class NoId(str):
    """Nothing on the wire, as from a producer that knows no ids; aiormq makes one up where there is none."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


@frozen(kw_only=True)
class Desk:
    example: Example
    mill: Client
    amqp: AmqpPlace
    queue: str
    urgent_queue: str
    workers: Sequence[ServerProcess]

    async def publishes(self, messages: Sequence[CallMessage], queue: str | None = None) -> None:
        async with by_broker(self.amqp.url) as send:
            await send(messages, queue or self.queue)

    async def publishes_bare(self, bodies: Sequence[bytes]) -> None:
        """Publish as a producer in another language may: without an id."""
        connection = await aiormq.connect(self.amqp.url)
        channel = await connection.channel()
        for body in bodies:
            about = aiormq.spec.Basic.Properties(message_id=NoId(), delivery_mode=2)
            await channel.basic_publish(body, routing_key=self.queue, properties=about, mandatory=True)
        await connection.close()


@pytest_asyncio.fixture
async def desk(tmp_path: Path, amqp: AmqpPlace, postgres_url: str) -> AsyncGenerator[Desk]:
    amqp.uses("calls", "email", "webhook", "simulate", "sms", "call", "push")
    queue, urgent_queue = f"{amqp.prefix}-call_queue", f"{amqp.prefix}-urgent_call_queue"
    amqp.delete_later(queues=[queue, urgent_queue])
    table = tomllib.loads((EXAMPLES / "calls" / "pyproject.toml").read_text())["tool"]["jobmill"]["ingress"]
    bindings = {name: {**each, "queue": f"{amqp.prefix}-{each['queue']}"} for name, each in table.items()}
    settings = {
        "JOBMILL_DATABASE_URL": postgres_url,
        "JOBMILL_BROKER_URL": amqp.url,
        "JOBMILL_PREFIX": amqp.prefix,
        "JOBMILL_INGRESS": json.dumps(bindings),
        "JOBMILL_LOG_FORMAT": "console",
        "CALL_QUEUE": queue,
        "URGENT_CALL_QUEUE": urgent_queue,
    }
    async with copied("calls", tmp_path, settings) as example:
        printed = await succeeds(example, "make set-up")
        assert f"the queue {queue} is there\nthe queue {urgent_queue} is there\n" in printed
        workers = [
            example.start("exec jobmill worker --concurrency 1", log=f"worker-{number}") for number in (1, 2)
        ]
        for worker in workers:
            await prints(worker, "slots")
        async with jobmill.connect(postgres_url) as mill:
            yield Desk(
                example=example, mill=mill, amqp=amqp, queue=queue, urgent_queue=urgent_queue, workers=workers
            )


async def test_all_of_it(desk: Desk) -> None:
    await _two_workers_share_the_calls_one_at_a_time_and_place_each_once(desk)
    await _urgent_calls_are_urgent_and_the_producers_word_is_kept(desk)
    await _a_call_that_comes_twice_without_an_id_is_one_job(desk)
    await _what_fails_is_retried_or_found_mended_and_requeued(desk)
    await _a_worker_that_dies_leaves_its_calls_to_the_other(desk)


async def _two_workers_share_the_calls_one_at_a_time_and_place_each_once(desk: Desk) -> None:
    wanted = {each.call_id for each in calls("shared", CALLS)}

    await succeeds(desk.example, f'make producer ARGS="shared {CALLS}"')
    await desk.publishes(list(calls("shared", CALLS)))  # as if it did not know whether it was heard
    jobs = await jobs_of(desk.mill, wanted)
    placed = [_told(worker, "shared") for worker in desk.workers]

    assert [job.status for job in jobs] == [JobState.SUCCEEDED] * CALLS
    assert Counter(call for each in placed for call, _ in each) == dict.fromkeys(wanted, 2)
    for each in placed:
        assert each, "one of them has placed nothing"
        pairs = list(zip(each[::2], each[1::2], strict=True))
        assert all(start == (end[0], "started") and end[1] == "answered" for start, end in pairs)


async def _urgent_calls_are_urgent_and_the_producers_word_is_kept(desk: Desk) -> None:
    urgent = message("urgent-1", SOMEBODY)

    await desk.publishes([urgent], desk.urgent_queue)
    [job] = await jobs_of(desk.mill, ["urgent-1"])

    assert (job.priority, job.attempts) == (Priority.HIGH, 1)
    assert job.origin is not None
    assert (job.origin["attempt"], job.origin["timestamp"]) == (0, urgent.timestamp)


async def _a_call_that_comes_twice_without_an_id_is_one_job(desk: Desk) -> None:
    body = json.dumps(asdict(message("bare-1", SOMEBODY))).encode()

    await desk.publishes_bare([body, body])
    await desk.publishes([message("bare-2", SOMEBODY)])  # behind the other two
    await jobs_of(desk.mill, ["bare-2"])

    assert [call_id(job) for job in await look(desk.mill, ["bare-1"])] == ["bare-1"]


async def _what_fails_is_retried_or_found_mended_and_requeued(desk: Desk) -> None:
    await desk.publishes([message("busy-1", BUSY_TWICE), message("wrong-1", NOBODY)])
    await desk.publishes_bare([b'{"call_id": "half-1"}'])
    busy, wrong = sorted(await jobs_of(desk.mill, ["busy-1", "wrong-1"]), key=call_id)

    async def is_listed() -> bool:
        letters = (await succeeds(desk.example, "jobmill dead --json")).splitlines()
        return {json.loads(each)["kind"] for each in letters} == {"failed", "quarantined"}

    assert (busy.status, busy.attempts) == (JobState.SUCCEEDED, 3)
    assert (wrong.status, wrong.attempts) == (JobState.FAILED, 1)
    assert wrong.error == f"{NOBODY} belongs to nobody"
    assert await until(is_listed, within_s=WITHIN_S)
    await desk.mill.requeue(wrong, payload={"call_id": "wrong-1", "phone_number": SOMEBODY})
    assert (await desk.mill.wait(wrong)).succeeded


async def _a_worker_that_dies_leaves_its_calls_to_the_other(desk: Desk) -> None:
    wanted = list(calls("orphan", CALLS))

    await desk.publishes(wanted)

    async def is_at_work() -> bool:
        return bool(_told(desk.workers[0], "orphan"))

    assert await until(is_at_work, within_s=WITHIN_S)
    await desk.workers[0].kill()
    jobs: Sequence[Job] = await jobs_of(desk.mill, {each.call_id for each in wanted})

    assert [job.status for job in jobs] == [JobState.SUCCEEDED] * CALLS


def _told(worker: ServerProcess, series: str) -> Sequence[tuple[str, str]]:
    """What a worker's log has of the calls of a series: which one, and that it was started or answered."""
    lines = re.findall(
        rf"(started|answered) .*?call_id=({series}-\d+)$", worker.log.read_text(), re.MULTILINE
    )
    return [(call, event) for event, call in lines]
