"""The measured runs of the README, for seconds: what they show holds, on real servers and embedded."""

import re
from pathlib import Path

import pytest

from tests.examples.copied import copied
from tests.examples.starting import succeeds
from tests.servers.amqp_place import AmqpPlace

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


async def test_while_a_provider_is_down_the_other_one_carries_every_text_in_its_first_attempt(
    tmp_path: Path, amqp: AmqpPlace, postgres_url: str
) -> None:
    amqp.uses("inapp", "email", "webhook", "simulate", "sms", "call", "push")
    settings = {
        "JOBMILL_DATABASE_URL": postgres_url,
        "JOBMILL_BROKER_URL": amqp.url,
        "JOBMILL_PREFIX": amqp.prefix,
    }
    async with copied("notifications", tmp_path, settings) as example:
        # The provider is off before the first text, so ten failures open the breaker whatever the machine does.
        said = await succeeds(example, "make outage ARGS='--rate 30 --before-s 0 --down-s 3 --after-s 0'")

    assert "breaker: open at" in said
    assert "attempts: 1 90\n" in said
    assert "what became of the texts: succeeded 90\n" in said
    assert "carried by: sms:simulate" in said
    asked = re.search(r"it was asked (\d+) times", said)
    assert asked is not None
    assert 10 <= int(asked[1]) < 90, "the breaker spares a provider that is down"


async def test_under_overload_urgent_texts_overtake_and_those_that_can_wait_still_move(
    tmp_path: Path,
) -> None:
    async with copied("notifications", tmp_path, {}) as example:
        said = await succeeds(example, "make overload ARGS='--slots 20 --for-s 4'")

    found = {
        name: (int(sent), float(wait))
        for name, sent, wait in re.findall(r"\| (\w+) \| \d+ \| (\d+) \|.*\| ([\d.]+) s \| [\d.]+ s \|", said)
    }
    assert set(found) == {"high", "normal", "low"}, said
    assert found["high"][1] < found["normal"][1] < found["low"][1], said
    assert found["low"][0] > 0, said
