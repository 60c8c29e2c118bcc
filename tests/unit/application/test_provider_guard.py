"""One process guards a provider: breaker, pause, concurrency, retry budget and rate."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from jobmill.application.guarded_provider import CALL_WITHIN_S
from jobmill.application.ports.guard import CallResult, Go, Shut
from jobmill.application.ports.provider_states import PROVIDERS_MAX
from jobmill.application.provider_limits import ProviderLimits
from jobmill.domain.circuit_breaker import BreakerState
from jobmill.domain.concurrency_limit import HIGHEST
from jobmill.domain.retry_budget import RESERVE
from jobmill.domain.token_bucket import RateLimit

from tests.unit.application.guarding import SMS, Guarding, passes

SUCCEEDED, REFUSED, BUSY, FAILED = CallResult


@pytest.fixture
async def process() -> AsyncGenerator[Guarding]:
    process = Guarding()
    process.start()
    yield process
    process.stop()


async def test_a_call_is_allowed_where_nothing_speaks_against_it(process: Guarding) -> None:
    assert await process.guard.ask("push:2", attempt=1) == Go(provider="push:2", ticket=1)


async def test_how_a_provider_is_can_be_seen(process: Guarding) -> None:
    under_way = await process.go()
    await process.guard.tell(await process.go(), BUSY, retry_after=timedelta(seconds=20))
    await passes(5)

    [seen] = process.guard.seen

    assert (seen.name, seen.state, seen.calls) == (SMS, BreakerState.CLOSED, 1)
    assert seen.pause_s == pytest.approx(15)
    assert seen.calls_max < HIGHEST  # it was refused for want of room

    await process.guard.tell(under_way, SUCCEEDED)
    await passes(20)
    await process.calls(9)
    await passes(1.5)
    [seen] = process.guard.seen
    assert (seen.state, seen.calls, seen.pause_s) == (BreakerState.OPEN, 0, 0)


async def test_ten_failures_shut_the_provider_for_thirty_seconds(process: Guarding) -> None:
    await process.calls(10)

    shut = await process.shut()

    assert timedelta(seconds=29) < shut.wait < timedelta(seconds=31)
    assert shut.is_open
    assert shut.reason == "the breaker of sms:twilio is open until 2030-01-01 00:00:30 UTC"


async def test_a_provider_that_says_no_is_well(process: Guarding) -> None:
    await process.calls(50, REFUSED)

    await process.go()


async def test_a_provider_that_is_busy_is_not_down(process: Guarding) -> None:
    for _ in range(20):
        await process.calls(1, BUSY)
        await passes(61)

    assert process.stored.is_closed


async def test_one_probe_at_a_time_and_two_successes_let_calls_through_again(process: Guarding) -> None:
    await process.opens()
    await passes(29)

    for _ in range(2):
        probe = await process.go()
        assert probe.is_probe
        assert (await process.shut()).is_open
        await process.guard.tell(probe, SUCCEEDED)

    assert not (await process.go()).is_probe
    assert process.stored.is_closed


async def test_a_probe_that_fails_shuts_it_for_a_minute(process: Guarding) -> None:
    await process.opens()
    await passes(29)

    await process.guard.tell(await process.go(), FAILED)

    assert timedelta(seconds=59) < (await process.shut()).wait < timedelta(seconds=62)


async def test_a_probe_that_finds_the_provider_busy_is_made_again_after_the_pause(process: Guarding) -> None:
    await process.opens()
    await passes(29)

    await process.guard.tell(await process.go(), BUSY, retry_after=timedelta(seconds=5))

    assert process.stored.state is BreakerState.HALF_OPEN
    await process.shut()
    await passes(5)
    assert (await process.go()).is_probe


async def test_a_probe_of_which_nothing_is_told_is_made_again(process: Guarding) -> None:
    await process.opens()
    await passes(29)
    lost = await process.go()

    await passes(16)

    await process.guard.tell(await process.go(), SUCCEEDED)
    await process.guard.tell(lost, FAILED)
    assert process.stored.state is BreakerState.HALF_OPEN


async def test_a_probe_needs_no_budget(process: Guarding) -> None:
    await process.opens()
    await passes(29)

    for _ in range(2):
        await process.guard.tell(await process.go(attempt=3), SUCCEEDED)

    assert process.stored.is_closed


async def test_those_who_are_turned_away_come_back_spread_over_time(process: Guarding) -> None:
    await process.opens()

    waits = [(await process.shut()).wait.total_seconds() for _ in range(1_000)]

    assert all(28 <= wait < 31 for wait in waits[:10])
    assert all(28 <= wait < 28.5 + 60 + 30 for wait in waits)
    assert len([wait for wait in waits if wait > 60]) > 300


async def test_each_change_of_state_is_told_once(process: Guarding) -> None:
    await process.opens()
    await passes(29)
    for _ in range(2):
        await process.guard.tell(await process.go(), SUCCEEDED)

    assert process.notes.names == ["breaker opened", "breaker half-open", "breaker closed"]
    assert process.notes.events[0][1] == {
        "provider": SMS,
        "reason": "10 of 10 calls failed",
        "until": "2030-01-01T00:00:30+00:00",
    }


async def test_a_provider_that_is_busy_is_left_alone_for_as_long_as_it_says(process: Guarding) -> None:
    await process.guard.tell(await process.go(), BUSY, retry_after=timedelta(seconds=7))

    shut = await process.shut()
    await passes(7)

    assert (shut.wait, shut.is_open) == (timedelta(seconds=7), False)
    assert "asked for a pause" in shut.reason
    await process.go()


async def test_without_a_word_each_pause_is_twice_as_long(process: Guarding) -> None:
    waits = []
    for _ in range(3):
        await process.calls(1, BUSY)
        waits.append((await process.shut()).wait.total_seconds())
        await passes(waits[-1])

    assert waits == [1, 2, 4]


async def test_retries_beyond_their_share_wait(process: Guarding) -> None:
    await process.calls(RESERVE.burst, SUCCEEDED, attempt=2)

    shut = await process.shut(attempt=2)

    assert shut.wait == timedelta(seconds=1 / RESERVE.per_s)
    assert "more retries than 20%" in shut.reason
    await process.calls(5, SUCCEEDED)  # first attempts, of which each pays for a fifth
    await process.go(attempt=2)


async def test_a_rate_is_kept_and_those_beyond_it_come_one_by_one(process: Guarding) -> None:
    process.guard.declare(SMS, ProviderLimits(rate=RateLimit(per_s=2, burst=3)))
    await process.calls(3, SUCCEEDED)

    waits = [(await process.shut()).wait.total_seconds() for _ in range(3)]

    assert waits == pytest.approx([0.5, 1.0, 1.5])
    await passes(0.5)
    await process.go()


async def test_a_retry_that_the_rate_turns_away_keeps_its_place_in_the_budget(process: Guarding) -> None:
    process.guard.declare(SMS, ProviderLimits(rate=RateLimit(per_s=0.001, burst=1)))
    await process.go()

    reasons = {(await process.shut(attempt=2)).reason for _ in range(2 * RESERVE.burst)}

    assert reasons == {"sms:twilio is called as often as its rate allows"}


async def test_no_more_calls_than_the_limit_are_under_way(process: Guarding) -> None:
    process.guard.declare(SMS, ProviderLimits(concurrency=2))
    first = await process.go()
    await process.go()

    shut = await process.shut()

    assert "no more than 2 calls at once" in shut.reason
    assert timedelta(seconds=0) < shut.wait < timedelta(seconds=3)
    await process.guard.tell(first, SUCCEEDED)
    await process.go()


async def test_whoever_is_turned_away_takes_no_room(process: Guarding) -> None:
    process.guard.declare(SMS, ProviderLimits(rate=RateLimit(per_s=1, burst=1), concurrency=1))
    await process.calls(1, SUCCEEDED)
    await process.shut()

    await passes(1)

    await process.go()


async def test_those_without_room_come_back_as_fast_as_calls_end(process: Guarding) -> None:
    process.guard.declare(SMS, ProviderLimits(concurrency=2))
    await process.go()
    await process.go()

    waits = [(await process.shut()).wait.total_seconds() for _ in range(100)]

    assert waits == sorted(waits)
    assert 45 < waits[-1] < 55  # two a second, as long as nothing is known of how long calls take


async def test_trouble_makes_room_for_fewer_calls_and_success_for_more(process: Guarding) -> None:
    process.guard.declare(SMS, ProviderLimits(concurrency=40))
    await process.calls(20, REFUSED)
    under_way = [await process.go() for _ in range(40)]
    for go in under_way[:9]:
        await process.guard.tell(go, FAILED)

    assert "no more than 15 calls" in (await process.shut()).reason

    for go in under_way[9:]:
        await process.guard.tell(go, SUCCEEDED)
    assert [await process.go() for _ in range(30)]


async def test_a_call_of_which_nothing_is_told_takes_no_room_for_ever(process: Guarding) -> None:
    process.guard.declare(SMS, ProviderLimits(concurrency=1))
    lost = await process.go()
    await process.shut()

    await passes(CALL_WITHIN_S)

    await process.go()
    await process.guard.tell(lost, FAILED)
    await process.shut()


async def test_what_is_told_twice_counts_once(process: Guarding) -> None:
    for _ in range(5):
        go = await process.go()
        await process.guard.tell(go, FAILED)
        await process.guard.tell(go, FAILED)

    await process.go()


async def test_the_number_of_providers_is_bounded(process: Guarding) -> None:
    for number in range(PROVIDERS_MAX + 10):
        await process.guard.ask(f"push:{number}", attempt=1)

    assert len(process.guard._providers) == PROVIDERS_MAX


async def test_without_a_store_a_process_has_a_breaker_of_its_own() -> None:
    process = Guarding()
    process.guard._exchange.states = None
    await process.calls(10)
    await process.shut()
    await passes(30)

    for _ in range(2):
        probe = await process.go()
        assert probe.is_probe
        assert isinstance(await process.guard.ask(SMS, attempt=1), Shut)
        await process.guard.tell(probe, SUCCEEDED)

    assert not (await process.go()).is_probe
    assert process.notes.names == ["breaker opened", "breaker half-open", "breaker closed"]
