"""Several processes share the breaker of a provider through the store."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from attrs import evolve

from jobmill.adapters.memory.tables import Tables
from jobmill.application.ports.guard import CallResult, Go
from jobmill.application.provider_guard import EXCHANGE_EVERY_S, IDLE_AFTER_S
from jobmill.application.provider_limits import ProviderLimits
from jobmill.domain.circuit_breaker import BreakerState
from jobmill.domain.token_bucket import RateLimit

from tests.builders import DAY
from tests.unit.application.guarding import SMS, Guarding, passes

SUCCEEDED, FAILED = CallResult.SUCCEEDED, CallResult.FAILED
SOON_S = EXCHANGE_EVERY_S + 0.1


@pytest.fixture
async def pair() -> AsyncGenerator[tuple[Guarding, Guarding]]:
    tables = Tables()
    pair = (Guarding(tables=tables, seed=1), Guarding(tables=tables, seed=2))
    for each in pair:
        each.start()
    await passes(0.1)
    yield pair
    for each in pair:
        each.stop()


async def test_what_one_process_opens_is_shut_for_the_other_within_about_a_second(
    pair: tuple[Guarding, Guarding],
) -> None:
    one, other = pair
    await other.calls(1, SUCCEEDED)
    await one.calls(10)

    await passes(SOON_S)

    assert (await other.shut()).is_open
    assert one.notes.names == ["breaker opened"]
    assert other.notes.names == []


async def test_failures_of_several_processes_add_up(pair: tuple[Guarding, Guarding]) -> None:
    for each in pair:
        await each.calls(5)
    for each in pair:
        await each.go()

    await passes(SOON_S)

    assert pair[0].stored.state is BreakerState.OPEN
    assert (await pair[0].shut()).is_open
    assert (await pair[1].shut()).is_open


async def test_counts_are_never_stored_twice(pair: tuple[Guarding, Guarding]) -> None:
    for _ in range(4):
        for each in pair:
            await each.calls(3, SUCCEEDED)
        await passes(SOON_S)

    window = pair[0].stored.window
    assert (window.calls, window.failures) == (24, 0)


async def test_there_is_one_probe_among_all_processes(pair: tuple[Guarding, Guarding]) -> None:
    one, other = pair
    await one.opens()
    await other.shut()
    await passes(29)

    answers = await asyncio.gather(*(each.guard.ask(SMS, attempt=1) for each in (one, other) * 5))

    goes = [answer for answer in answers if isinstance(answer, Go)]
    assert [go.is_probe for go in goes] == [True]


async def test_of_many_who_ask_here_one_goes_to_the_store_for_the_probe(
    pair: tuple[Guarding, Guarding],
) -> None:
    one, _ = pair
    await one.opens()
    await passes(29)
    await one.guard.ask("push:2", attempt=1)
    one.statements.clear()

    await asyncio.gather(*(one.guard.ask(SMS, attempt=1) for _ in range(20)))

    assert one.statements.count("before providers.save") == 1
    assert one.statements.count("before providers.look") == 1


async def test_what_opens_is_stored_at_once(pair: tuple[Guarding, Guarding]) -> None:
    one, _ = pair
    await one.go()
    await passes(SOON_S)
    await one.calls(10)

    await passes(0.01)

    assert one.stored.state is BreakerState.OPEN


async def test_one_process_probes_and_all_go_on(pair: tuple[Guarding, Guarding]) -> None:
    one, other = pair
    await one.opens()
    await passes(29)
    for each in (one, other):
        await each.guard.tell(await each.go(), SUCCEEDED)

    await passes(SOON_S)

    assert not (await one.go()).is_probe
    assert not (await other.go()).is_probe
    for each in (one, other):
        await each.calls(1, SUCCEEDED)
    await passes(SOON_S)
    assert (one.notes.names + other.notes.names).count("breaker closed") == 1


async def test_a_probe_is_not_held_up_by_a_store_that_does_not_answer(
    pair: tuple[Guarding, Guarding],
) -> None:
    one, _ = pair
    await one.opens()
    await passes(29)
    one.cable.trouble = lambda _moment: asyncio.sleep(3_600)
    began_s = asyncio.get_running_loop().time()

    assert (await one.go()).is_probe

    assert asyncio.get_running_loop().time() - began_s <= 4.1


async def test_a_call_costs_no_statement(pair: tuple[Guarding, Guarding]) -> None:
    one, _ = pair
    await one.go()
    one.statements.clear()

    await one.calls(500, SUCCEEDED)

    assert one.statements == []
    await passes(10 * SOON_S)
    assert one.statements.count("before providers.save") == 1
    assert one.statements.count("before providers.look") <= 12


async def test_being_turned_away_costs_no_statement(pair: tuple[Guarding, Guarding]) -> None:
    one, _ = pair
    await one.opens()
    await one.shut()
    one.statements.clear()

    for _ in range(100):
        await one.shut()

    assert one.statements == []


async def test_a_process_that_is_asked_for_nothing_leaves_the_store_alone(
    pair: tuple[Guarding, Guarding],
) -> None:
    one, _ = pair
    await one.go()
    await passes(IDLE_AFTER_S + 2)
    one.statements.clear()

    await passes(600)

    assert one.statements == []


async def test_whoever_asks_again_after_long_sees_what_happened_meanwhile(
    pair: tuple[Guarding, Guarding],
) -> None:
    one, other = pair
    await one.go()
    await passes(IDLE_AFTER_S + 2)
    await other.opens()

    assert (await one.shut()).is_open


async def test_while_the_store_is_away_a_process_goes_by_what_it_sees_itself(
    pair: tuple[Guarding, Guarding],
) -> None:
    one, other = pair
    one.cable.is_cut = True

    await one.calls(10)
    assert (await one.shut()).is_open
    await passes(29.5)
    assert (await one.shut()).is_open
    await passes(0.5)
    await one.guard.tell(await one.go(), FAILED)

    assert (await one.shut()).is_open
    assert one.notes.names == [
        "breakers are not shared",
        "breaker opened",
        "breaker half-open",
        "breaker opened",
    ]
    assert not (await other.go()).is_probe


async def test_a_store_that_does_not_answer_holds_no_call_up_for_long(
    pair: tuple[Guarding, Guarding],
) -> None:
    one, _ = pair
    await passes(5)
    one.cable.trouble = lambda _moment: asyncio.sleep(3_600)
    began_s = asyncio.get_running_loop().time()

    await asyncio.gather(*(one.guard.ask("push:2", attempt=1) for _ in range(20)))
    await one.calls(10)
    await one.shut()

    assert asyncio.get_running_loop().time() - began_s <= 2.1


async def test_what_was_not_stored_is_stored_when_the_store_is_back(pair: tuple[Guarding, Guarding]) -> None:
    one, other = pair
    one.cable.is_cut = True
    await one.calls(10)
    await passes(3)

    one.cable.is_cut = False
    await passes(SOON_S)

    assert one.stored.state is BreakerState.OPEN
    assert (await other.shut()).is_open


async def test_limits_are_stored_for_people_to_see(pair: tuple[Guarding, Guarding]) -> None:
    one, _ = pair
    assert one.tables.providers[SMS].limits["rate_per_s"] is None

    one.guard.declare(SMS, ProviderLimits(rate=RateLimit(per_s=5, burst=7), concurrency=3))
    await one.go()
    await passes(SOON_S)

    assert dict(one.tables.providers[SMS].limits) == {
        "rate_per_s": 5,
        "burst": 7,
        "concurrency": 3,
        "retry_share": 0.2,
        "on_open": "wait",
    }


async def test_what_nobody_changed_for_a_week_is_forgotten(pair: tuple[Guarding, Guarding]) -> None:
    one, _ = pair
    gone = evolve(one.tables.providers[SMS], provider="push:old", version=0)
    await one.store.providers.save([gone])

    await passes(8 * DAY.total_seconds())

    assert [*one.tables.providers] == [SMS]
