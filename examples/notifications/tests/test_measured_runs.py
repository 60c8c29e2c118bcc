"""A measured run of the README, for seconds, on real servers: what it shows holds."""

import re
from pathlib import Path

import pytest

from jobmill.entrypoints.container import migrate_store
from jobmill.entrypoints.settings import Settings

from tests.examples.copied import copied
from tests.examples.starting import succeeds
from tests.servers.amqp_place import AmqpPlace

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


async def test_while_a_provider_is_down_the_other_one_carries_every_text_in_its_first_attempt(
    tmp_path: Path, amqp: AmqpPlace, postgres_url: str
) -> None:
    amqp.uses("inapp", "email", "webhook", "simulate", "sms", "call", "push")
    await migrate_store(Settings(database_url=postgres_url))
    settings = {
        "JOBMILL_DATABASE_URL": postgres_url,
        "JOBMILL_BROKER_URL": amqp.url,
        "JOBMILL_PREFIX": amqp.prefix,
    }
    async with copied("notifications", tmp_path, settings) as example:
        said = await succeeds(example, "make outage ARGS='--rate 40 --before-s 0 --down-s 2 --after-s 0'")

    assert "breaker: open at" in said
    assert "attempts: 1 80\n" in said
    assert "what became of the texts: succeeded 80\n" in said
    assert "carried by: sms:simulate" in said
    asked = re.search(r"it was asked (\d+) times", said)
    assert asked is not None
    # It opens at ten calls of which half failed; those under way when the provider went down did not.
    assert 5 <= int(asked[1]) < 80, "the breaker spares a provider that is down"
