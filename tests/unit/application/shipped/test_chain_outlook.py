"""Whether jobs of a chain may begin, and what becomes of those that had begun or were sent ahead."""

from datetime import timedelta
from typing import Any

import pytest

from jobmill.application.handlers import RetryAfter, TransientFailure
from jobmill.application.handlers.raising import ProviderAway
from jobmill.application.ports.guard import Outlook
from jobmill.application.ports.providers import ProviderUnavailable
from jobmill.application.provider_limits import OnOpen
from jobmill.application.shipped.calls import call_handlers
from jobmill.application.shipped.emails import email_handlers
from jobmill.application.shipped.provider_chain import Choice, OnDoubt, ProviderChain
from jobmill.application.shipped.pushes import push_handlers
from jobmill.application.shipped.texts import sms_handlers

from tests.unit.application.shipped.providers import Doorkeeper, Recorder, a_choice

CLEAR, TRIAL, SHUT = Outlook.CLEAR, Outlook.TRIAL, Outlook.SHUT
WAIT, FAILOVER, FAIL = OnOpen.WAIT, OnOpen.FAILOVER, OnOpen.FAIL
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
DOWN = ProviderUnavailable("no connection")
LOST = ProviderUnavailable("the answer was lost", in_doubt=True)
BUSY = ProviderUnavailable("answered 429", is_busy=True, retry_after=MINUTE)


def chain(*on_open: OnOpen, seen: tuple[Outlook, ...]) -> ProviderChain[str]:
    names = [f"p{at}" for at in range(len(on_open))]
    choices = [
        a_choice(name, Recorder[str](), on_open=each) for name, each in zip(names, on_open, strict=True)
    ]
    return ProviderChain(
        choices=tuple(choices), guard=Doorkeeper(outlooks=dict(zip(names, seen, strict=True)))
    )


@pytest.mark.parametrize(
    ("on_open", "seen", "outlook"),
    [
        ((WAIT,), (CLEAR,), CLEAR),
        ((WAIT,), (TRIAL,), TRIAL),
        ((WAIT,), (SHUT,), SHUT),
        ((FAIL,), (SHUT,), CLEAR),  # the attempt shall fail, so it has to begin
        ((FAILOVER, WAIT), (SHUT, CLEAR), CLEAR),
        ((FAILOVER, WAIT), (SHUT, SHUT), SHUT),
        ((FAILOVER, FAILOVER), (SHUT, SHUT), SHUT),
        ((FAILOVER, WAIT), (TRIAL, SHUT), TRIAL),
        ((FAILOVER, WAIT), (TRIAL, CLEAR), CLEAR),
        ((FAILOVER, FAIL), (SHUT, SHUT), CLEAR),
        ((WAIT, WAIT), (SHUT, CLEAR), SHUT),  # the first is waited for, whoever follows
        ((WAIT, WAIT), (TRIAL, CLEAR), TRIAL),
    ],
)
def test_jobs_begin_where_they_would_not_only_be_told_to_wait(
    on_open: tuple[OnOpen, ...], seen: tuple[Outlook, ...], outlook: Outlook
) -> None:
    assert chain(*on_open, seen=seen).outlook() is outlook


def test_a_provider_for_some_messages_holds_up_none_that_another_carries() -> None:
    devices = Choice(
        name="fcm",
        carrier=Recorder[str](),
        on_open=WAIT,
        on_doubt=OnDoubt.FAILOVER,
        carries=lambda message: message == "device",
    )
    browsers = a_choice("webpush", Recorder[str](), on_open=WAIT)
    guard = Doorkeeper(outlooks={"fcm": SHUT})

    assert ProviderChain(choices=(devices, browsers), guard=guard).outlook() is CLEAR


async def waits(guard: Doorkeeper, *choices: Choice[str]) -> RetryAfter:
    with pytest.raises(RetryAfter) as asked:
        await ProviderChain(choices=choices, guard=guard).send("hello", attempt=1)
    assert not asked.value.counts
    return asked.value


async def test_a_job_that_an_open_breaker_turns_away_does_not_use_up_its_postponements() -> None:
    guard = Doorkeeper(shut={"a": 30, "b": 40}, is_open=True)

    assert isinstance(await waits(guard, a_choice("a", Recorder()), a_choice("b", Recorder())), ProviderAway)


async def test_a_job_that_a_rate_turns_away_does() -> None:
    asked = await waits(Doorkeeper(shut={"a": 30}), a_choice("a", Recorder()))

    assert not isinstance(asked, ProviderAway)
    assert asked.when == timedelta(seconds=30)


async def test_where_no_job_begins_the_turned_away_come_back_to_the_others_at_once() -> None:
    guard = Doorkeeper(shut={"a": 30}, is_open=True, outlooks={"a": SHUT})

    assert (await waits(guard, a_choice("a", Recorder(), on_open=WAIT))).when == SECOND


async def test_a_probe_that_was_surely_not_taken_costs_its_job_nothing() -> None:
    guard = Doorkeeper(probes=True, outlooks={"a": SHUT})

    asked = await waits(guard, a_choice("a", Recorder(DOWN), on_open=WAIT))

    assert isinstance(asked, ProviderAway)
    assert (asked.when, asked.reason) == (SECOND, "a: no connection")


async def test_where_others_may_begin_a_failed_probe_comes_back_later() -> None:
    assert (await waits(Doorkeeper(probes=True), a_choice("a", Recorder(DOWN)))).when == timedelta(seconds=30)


async def test_a_probe_in_doubt_counts_where_a_copy_may_arrive() -> None:
    choice = a_choice("a", Recorder[str](LOST), on_doubt=OnDoubt.RETRY)

    with pytest.raises(TransientFailure, match="the answer was lost"):
        await ProviderChain(choices=(choice,), guard=Doorkeeper(probes=True)).send("hello", attempt=1)


async def test_a_probe_in_doubt_is_postponed_a_hundred_times_where_copies_are_harmless() -> None:
    choice = a_choice("a", Recorder[str](LOST), on_doubt=OnDoubt.FAILOVER)

    assert not isinstance(await waits(Doorkeeper(probes=True), choice), ProviderAway)


async def test_a_probe_that_is_answered_with_a_time_comes_back_then() -> None:
    assert (await waits(Doorkeeper(probes=True), a_choice("a", Recorder(BUSY)))).when == MINUTE


async def test_a_call_that_was_no_probe_counts_beside_one_that_was() -> None:
    class OneProbe(Doorkeeper):
        async def ask(self, provider: str, *, attempt: int):  # type: ignore[no-untyped-def] # noqa: ANN202
            self.probes = provider == "a"
            return await super().ask(provider, attempt=attempt)

    choices = (a_choice("a", Recorder[str](DOWN)), a_choice("b", Recorder[str](DOWN)))

    with pytest.raises(TransientFailure):
        await ProviderChain(choices=choices, guard=OneProbe()).send("hello", attempt=1)


def test_each_shipped_type_with_providers_begins_by_what_is_seen_of_them() -> None:
    guard = Doorkeeper(outlooks={"a": SHUT})
    every = ProviderChain[Any](choices=(a_choice("a", Recorder[Any](), on_open=WAIT),), guard=guard)
    shipped = (call_handlers(every), email_handlers(every), push_handlers(every), sms_handlers(every))

    for [declared] in shipped:
        assert declared.outlook is not None
        assert declared.outlook() is SHUT
