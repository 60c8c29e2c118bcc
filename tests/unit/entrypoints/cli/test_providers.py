"""``jobmill providers``: what a person sees of breakers and limits."""

from datetime import timedelta

import pytest

from jobmill.application.provider_limits import ProviderLimits
from jobmill.domain.call_window import CallWindow
from jobmill.domain.circuit_breaker import Breaker, BreakerPolicy, BreakerState
from jobmill.domain.job import Job
from jobmill.entrypoints.cli.exits import Exit
from jobmill.testing.contracts.provider_states import a_provider

from tests.contract.store_world import StoreWorld
from tests.unit.entrypoints.cli.mill import Mill


async def _one_well_and_one_down(world: StoreWorld) -> None:
    now = world.store.clock.now()
    closed = Breaker(state=BreakerState.CLOSED, since=now - timedelta(hours=3))
    failed = CallWindow.of(calls=1_200, failures=700, now=now)
    down = closed.tally(
        failed, now=now, policy=BreakerPolicy(open_for=timedelta(hours=5), open_max=timedelta(days=1))
    )
    limited = ProviderLimits.read({"rate": "10/s", "concurrency": "50", "on_open": "failover"})
    await world.store.providers.save(
        [
            a_provider("sms:twilio", breaker=down, limits=limited.as_record()),
            a_provider("email:mail.example.com:587", breaker=closed, limits={}),
        ]
    )


def test_providers_are_listed_with_their_breakers(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    mill.has(_one_well_and_one_down)

    told = mill.run("providers")

    assert told.code == Exit.DONE
    assert told.lines[0].split() == ["PROVIDER", "BREAKER", "SINCE", "CALLS", "FAILED", "LIMITS"]
    assert told.lines[1].split() == ["email:mail.example.com:587", "closed", "3", "h", "ago", "0", "0"]
    assert told.lines[2].startswith("sms:twilio")
    assert "open, 5 h" in told.lines[2]
    assert told.lines[2].endswith("1,200  700     10/s, 100 at once; 50 calls a process; on open: failover")


def test_providers_as_json_are_those_of_the_api(mill: Mill) -> None:
    mill.has(_one_well_and_one_down)

    [well, ill] = mill.run("providers", "--json").records

    assert (well["name"], well["state"]) == ("email:mail.example.com:587", "closed")
    assert (ill["state"], ill["failures"], ill["limits"]["burst"]) == ("open", 700, 100)


def test_without_providers_it_says_how_there_will_be_some(mill: Mill) -> None:
    told = mill.run("providers")

    assert (told.code, told.out) == (Exit.DONE, "")
    assert "a worker shows those that it calls" in told.err


async def _a_text_behind_an_open_breaker(world: StoreWorld) -> Job:
    now = world.store.clock.now()
    down = Breaker(state=BreakerState.OPEN, since=now, until=now + timedelta(hours=3))
    await world.store.providers.save([a_provider("sms:twilio", breaker=down, limits={})])
    return await world.queued(type="sms")


async def _the_same_after_it_is_over(world: StoreWorld) -> Job:
    now = world.store.clock.now()
    down = Breaker(state=BreakerState.OPEN, since=now, until=now)
    await world.store.providers.save([a_provider("sms:twilio", breaker=down, limits={})])
    return await world.queued(type="sms")


def test_a_waiting_job_says_for_whose_breaker_it_waits_and_until_when(mill: Mill) -> None:
    job = mill.has(_a_text_behind_an_open_breaker)

    told = mill.run("job", job.id)

    [line] = [line for line in told.lines if line.startswith("waits for")]
    assert "the breaker of sms:twilio, open until 2" in line
    assert line.endswith("in 3 h")


def test_once_that_is_over_it_waits_for_one_to_try(mill: Mill) -> None:
    job = mill.has(_the_same_after_it_is_over)

    [line] = [line for line in mill.run("job", job.id).lines if line.startswith("waits for")]

    assert line.endswith("the breaker of sms:twilio, open; the next job tries whether it is back")


def test_a_job_that_waits_for_no_provider_says_nothing_of_them(mill: Mill) -> None:
    mill.has(_a_text_behind_an_open_breaker)
    job = mill.has(lambda world: world.queued(type="email"))

    assert not [line for line in mill.run("job", job.id).lines if line.startswith("waits for")]
