"""Providers in the order of preference: who is asked, who is passed over, what it means for the attempt."""

import asyncio
from datetime import timedelta

import pytest

from jobmill.application.handlers import PermanentFailure, RetryAfter, TransientFailure
from jobmill.application.ports.guard import CallResult
from jobmill.application.ports.providers import ProviderRefused, ProviderUnavailable
from jobmill.application.provider_limits import OnOpen
from jobmill.application.shipped.provider_chain import Choice, OnDoubt, ProviderChain, Taken

from tests.unit.application.shipped.providers import Doorkeeper, Recorder, a_choice

MINUTE = timedelta(minutes=1)
DOWN = ProviderUnavailable("no connection")
LOST = ProviderUnavailable("the answer was lost", in_doubt=True)
BUSY = ProviderUnavailable("answered 429", is_busy=True, retry_after=MINUTE)


async def send(*choices: Choice[str], guard: Doorkeeper | None = None) -> Taken:
    return await ProviderChain(choices=choices, guard=guard or Doorkeeper()).send("hello", attempt=1)


async def test_the_first_provider_takes_the_message_and_the_second_hears_nothing() -> None:
    first, second = Recorder[str](), Recorder[str]()

    taken = await send(a_choice("a", first), a_choice("b", second))

    assert taken == Taken(provider="a", answer={"id": "7"})
    assert (first.taken, second.asked) == (["hello"], 0)


async def test_a_provider_that_surely_did_not_take_it_is_followed_by_the_next() -> None:
    guard = Doorkeeper()

    taken = await send(a_choice("a", Recorder(DOWN)), a_choice("b", Recorder()), guard=guard)

    assert taken.provider == "b"
    assert guard.told == [("a", CallResult.FAILED, None), ("b", CallResult.SUCCEEDED, None)]


@pytest.mark.parametrize(
    ("on_doubt", "verdict"), [(OnDoubt.RETRY, TransientFailure), (OnDoubt.FAIL, PermanentFailure)]
)
async def test_what_one_provider_may_have_taken_goes_to_no_other(
    on_doubt: OnDoubt, verdict: type[Exception]
) -> None:
    second = Recorder[str]()

    with pytest.raises(verdict, match="a: the answer was lost"):
        await send(a_choice("a", Recorder(LOST), on_doubt=on_doubt), a_choice("b", second))

    assert second.asked == 0


async def test_a_doubt_that_fails_the_job_says_where_to_look() -> None:
    with pytest.raises(PermanentFailure, match="a may have taken it all the same: look there"):
        await send(a_choice("a", Recorder(LOST), on_doubt=OnDoubt.FAIL))


async def test_where_doubles_are_harmless_a_doubt_goes_to_the_next() -> None:
    first = a_choice("a", Recorder[str](LOST), on_doubt=OnDoubt.FAILOVER)

    assert (await send(first, a_choice("b", Recorder()))).provider == "b"


async def test_a_refusal_is_final_and_says_that_the_provider_is_well() -> None:
    guard, second = Doorkeeper(), Recorder[str]()
    first = a_choice("a", Recorder[str](ProviderRefused("no such number")))

    with pytest.raises(PermanentFailure, match=r"^a: no such number$"):
        await send(first, a_choice("b", second), guard=guard)

    assert (guard.told, second.asked) == ([("a", CallResult.REFUSED, None)], 0)


async def test_a_busy_provider_is_left_alone_for_as_long_as_it_asks_without_a_count() -> None:
    guard = Doorkeeper()

    with pytest.raises(RetryAfter) as asked:
        await send(a_choice("a", Recorder(BUSY)), guard=guard)

    assert (asked.value.when, asked.value.counts) == (MINUTE, False)
    assert guard.told == [("a", CallResult.BUSY, MINUTE)]


async def test_the_last_providers_answer_decides_and_the_words_of_all_are_told() -> None:
    with pytest.raises(TransientFailure, match=r"^a: answered 429; b: no connection$"):
        await send(a_choice("a", Recorder(BUSY)), a_choice("b", Recorder(DOWN)))


async def test_a_provider_that_is_shut_is_not_asked() -> None:
    first, guard = Recorder[str](), Doorkeeper(shut={"a": 30})

    taken = await send(a_choice("a", first), a_choice("b", Recorder()), guard=guard)

    assert (taken.provider, first.asked) == ("b", 0)
    assert guard.told == [("b", CallResult.SUCCEEDED, None)]


async def test_where_all_are_shut_the_job_waits_for_the_first_to_open_without_a_count() -> None:
    guard = Doorkeeper(shut={"a": 30, "b": 10})

    with pytest.raises(RetryAfter, match="a is shut; b is shut") as asked:
        await send(a_choice("a", Recorder()), a_choice("b", Recorder()), guard=guard)

    assert (asked.value.when, asked.value.counts) == (timedelta(seconds=10), False)


async def test_a_provider_worth_waiting_for_is_waited_for() -> None:
    second, guard = Recorder[str](), Doorkeeper(shut={"a": 30})

    with pytest.raises(RetryAfter) as asked:
        await send(a_choice("a", Recorder(), on_open=OnOpen.WAIT), a_choice("b", second), guard=guard)

    assert (asked.value.when, asked.value.counts, second.asked) == (timedelta(seconds=30), False, 0)


async def test_a_provider_that_is_down_may_fail_the_attempt_and_one_asked_for_too_much_may_not() -> None:
    choice = a_choice("a", Recorder[str](), on_open=OnOpen.FAIL)

    with pytest.raises(TransientFailure, match="a is shut"):
        await send(choice, guard=Doorkeeper(shut={"a": 30}, is_open=True))
    with pytest.raises(RetryAfter, match="a is shut"):
        await send(choice, guard=Doorkeeper(shut={"a": 30}))


async def test_where_one_failed_and_the_other_is_shut_the_failure_counts() -> None:
    guard = Doorkeeper(shut={"b": 30})

    with pytest.raises(TransientFailure, match=r"^a: no connection$"):
        await send(a_choice("a", Recorder(DOWN)), a_choice("b", Recorder()), guard=guard)


async def test_a_message_goes_only_where_such_messages_are_carried() -> None:
    first = Recorder[str]()
    deaf = Choice(
        name="a",
        carrier=first,
        on_open=OnOpen.WAIT,
        on_doubt=OnDoubt.RETRY,
        carries=lambda message: message != "hello",
    )

    assert (await send(deaf, a_choice("b", Recorder()))).provider == "b"
    with pytest.raises(PermanentFailure, match="none of the providers carries such a message: a"):
        await send(deaf)
    assert first.asked == 0


@pytest.mark.parametrize("end", [asyncio.CancelledError(), KeyError("a bug")])
async def test_the_guard_hears_of_a_call_that_was_broken_off(end: BaseException) -> None:
    guard = Doorkeeper()

    with pytest.raises(type(end)):
        await send(a_choice("a", Recorder(end)), guard=guard)

    assert guard.told == [("a", CallResult.FAILED, None)]
