"""Rates that a process keeps with others, as long as that works."""

import asyncio
from datetime import timedelta

from attrs import define

from jobmill.application.errors import Unavailable
from jobmill.application.local_buckets import TRY_AGAIN_S, SharedTokenBuckets
from jobmill.application.ports.token_buckets import TokenBuckets
from jobmill.domain.token_bucket import RateLimit
from jobmill.testing.notes import Notes

NO_WAIT, HOUR = timedelta(0), timedelta(hours=1)
LIMIT = RateLimit(per_s=1, burst=1)


@define(slots=False)
class Elsewhere(TokenBuckets):
    """Other processes have taken all there was."""

    is_away: bool = False
    asked: int = 0

    async def take(self, name: str, limit: RateLimit) -> timedelta:
        self._answer()
        return HOUR

    async def close(self, name: str, span: timedelta) -> None:
        self._answer()

    def _answer(self) -> None:
        self.asked += 1
        if self.is_away:
            raise Unavailable("the cable is cut")


async def test_what_is_shared_decides() -> None:
    buckets = SharedTokenBuckets(shared=Elsewhere(), observer=Notes())

    assert await buckets.take("sms", LIMIT) == HOUR


async def test_while_it_is_away_the_process_decides_and_does_not_ask_each_time() -> None:
    elsewhere, notes = Elsewhere(is_away=True), Notes()
    buckets = SharedTokenBuckets(shared=elsewhere, observer=notes)

    waits = [await buckets.take("sms", LIMIT) for _ in range(3)]

    assert waits == [NO_WAIT, timedelta(seconds=1), timedelta(seconds=2)]
    assert elsewhere.asked == 1
    await asyncio.sleep(TRY_AGAIN_S)
    await buckets.take("sms", LIMIT)
    assert elsewhere.asked == 2
    assert notes.names == ["rates are kept by this process alone"]


async def test_when_it_is_back_it_decides_again() -> None:
    elsewhere, notes = Elsewhere(is_away=True), Notes()
    buckets = SharedTokenBuckets(shared=elsewhere, observer=notes)
    await buckets.take("sms", LIMIT)

    elsewhere.is_away = False
    await asyncio.sleep(TRY_AGAIN_S)

    assert await buckets.take("sms", LIMIT) == HOUR
    assert notes.names == ["rates are kept by this process alone", "rates are kept together again"]


async def test_a_closing_holds_here_when_the_others_are_gone() -> None:
    elsewhere = Elsewhere(is_away=True)
    buckets = SharedTokenBuckets(shared=elsewhere, observer=Notes())

    await buckets.close("sms", HOUR)

    assert await buckets.take("sms", LIMIT) == HOUR
