"""Foreign messages of any bytes: each is a command or is refused, and no worker stumbles over one."""

import json
from pathlib import Path
from random import Random
from typing import Final

import pytest

from jobmill.application.codec.ingress import read_ingress
from jobmill.application.ingress_binding import IngressBinding, Shape
from jobmill.application.ports.job_finder import JobQuery
from jobmill.domain.errors import InvalidInput

from tests.fuzz.conftest import Tried
from tests.fuzz.raw_amqp import ODD, UNREADABLE, publish_raw
from tests.fuzz.strategies import EVIL_TEXTS, damage
from tests.fuzz.test_amqp import DONE_WITHIN_S, _channel, _end_well, _letters, _properties, _submits, working
from tests.servers.amqp_place import AmqpPlace
from tests.servers.waiting import until

pytestmark = pytest.mark.timeout(600)

CASES: Final = 1_000
MESSAGES: Final = 200
RIGHT: Final = tuple(
    json.dumps(value).encode()
    for value in (
        {"type": "simulate", "payload": {"duration_s": 0}, "priority": "high", "tags": ["a"], "ttl_s": 60},
        {
            "specversion": "1.0",
            "id": "1",
            "source": "/shop",
            "type": "simulate",
            "time": "2026-11-28T09:00:00Z",
            "data": {"duration_s": 0},
        },
        {"type": "simulate", "payload": {}, "metadata": {"eventId": "e", "timestamp": 1.5}},
        {"type": "simulate", "payload": {"duration_s": 0}},
        {"call_id": "c", "phone_number": "+431", "attempt": 1, "timestamp": "2026-11-28"},
        {"call_id": "c", "more": EVIL_TEXTS[:5]},
    )
)


def _odd_body(chance: Random) -> bytes:
    """Damaged bytes, or a message in which one thing is missing, more or other."""
    if chance.random() < 0.5:
        return damage(chance, RIGHT)
    value = json.loads(chance.choice(RIGHT))
    name = chance.choice([*value, chance.choice(EVIL_TEXTS)])
    others: list[object] = [None, True, 0, -1.5, 10**30, [], {}, {"a": [1]}, *EVIL_TEXTS]
    other = chance.choice(others)
    if chance.random() < 0.3:
        value.pop(name, None)
    else:
        value[name] = other
    return json.dumps(value, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("shape", Shape)
def test_any_bytes_are_a_command_or_refused(shape: Shape, tried: Tried, factor: int) -> None:
    binding = IngressBinding(name="any", queue="q", shape=shape, type="simulate", dedup="/call_id")
    read = 0

    for seed in range(CASES * factor):
        chance = Random(seed)
        message_id = chance.choice([None, "m", *EVIL_TEXTS])
        try:
            entry = read_ingress(_odd_body(chance), message_id=message_id, binding=binding)
        except InvalidInput:
            continue
        read += 1
        assert json.loads(entry.command.origin or "")["shape"] == shape.value
        entry.placed(InvalidInput(*entry.command.faults))

    assert read > CASES / 4
    tried(CASES * factor)


async def test_a_worker_takes_good_messages_between_any_others(
    amqp: AmqpPlace, tmp_path: Path, tried: Tried, factor: int
) -> None:
    queue, odd = f"{amqp.prefix}.ingress", list({**UNREADABLE, **ODD}.values())
    count = MESSAGES * factor

    async with working(amqp, tmp_path) as worker, _channel(amqp) as channel:
        tally = worker.ingress().tally
        for seed in range(count):
            chance = Random(seed)
            body = _odd_body(chance) or b"x"
            if seed % 10 == 0:
                flags, properties = chance.choice(odd)
                await publish_raw(channel, "", queue, body, flags=flags, properties=properties)
            else:
                await channel.basic_publish(body, routing_key=queue, properties=_properties(chance))
        for _ in range(10):
            await channel.basic_publish(RIGHT[3], routing_key=queue)

        async def all_are_answered() -> bool:
            return sum(tally.values()) == count + 10

        assert await until(all_are_answered, within_s=DONE_WITHIN_S)
        await _end_well(worker, [await _submits(worker)])
        letters = await _letters(worker)
        jobs = len(await worker.store().finder.page(JobQuery(limit=100_000)))

    assert len(letters) == tally["default", "quarantined"] > count / 4
    assert all(letter.reason for letter in letters)
    assert jobs == tally["default", "accepted"] + 1 >= 11
    tried(count)
