"""Bringing to the store what this process knows of the providers, and seeing what the others know."""

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from attrs import define, evolve, field, frozen

from jobmill.application.errors import StorageRefused, Unavailable
from jobmill.application.guarded_provider import GuardedProvider
from jobmill.application.ports.clock import Clock
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.provider_states import ProviderRecord, ProviderStates
from jobmill.domain.call_window import CallWindow
from jobmill.domain.circuit_breaker import Breaker, BreakerPolicy, BreakerState

#: What the store said is believed for so long, by whoever asks for a provider.
FRESH_S: Final = 1.5
#: After a failure nobody who asks tries the store again for so long; who exchanges in the background does.
APART_S: Final = 10.0
#: A call waits no longer for the store; then this process goes by what it knows itself.
WITHIN_S: Final = 2.0
#: Somebody else may come first so often, before it is left to the next time.
_TRIES: Final = 4
_EVENTS: Final = {
    BreakerState.OPEN: "breaker opened",
    BreakerState.HALF_OPEN: "breaker half-open",
    BreakerState.CLOSED: "breaker closed",
}

#: From a breaker and the time to what it shall become; None or the same where it stays.
Change = Callable[[Breaker, datetime], Breaker | None]


@frozen(kw_only=True)
class _Offer:
    """A record to be saved, and the counts in it that are ours."""

    provider: GuardedProvider
    record: ProviderRecord
    sent: CallWindow


@define(kw_only=True, eq=False)
class BreakerExchange:
    """Keeps the breakers of this process and those in the store the same, as well as the store allows.

    Without a store, and while it cannot be reached, the process has breakers of its own.
    """

    policy: BreakerPolicy
    clock: Clock
    observer: Observer
    states: ProviderStates | None = None
    _turn: asyncio.Lock = field(factory=asyncio.Lock, init=False)
    _synced_s: float = field(default=-math.inf, init=False)
    _is_apart: bool = field(default=False, init=False)

    async def refresh(self, providers: Iterable[GuardedProvider]) -> None:
        """Exchange, unless that was done a moment ago."""
        if not self._is_fresh():
            async with self._turn:
                if not self._is_fresh():
                    await self._step([*providers])

    async def sync(self, providers: Iterable[GuardedProvider]) -> None:
        """Exchange now."""
        async with self._turn:
            await self._step([*providers])

    async def move(self, provider: GuardedProvider, change: Change) -> bool:
        """Change a breaker by compare-and-set; tell whether it changed. The store decides who is first."""
        if self.states is not None:
            try:
                async with asyncio.timeout(WITHIN_S):
                    return await self._moved(self.states, provider, change)
            except (Unavailable, TimeoutError) as error:
                self._complain(error)
        changed = change(provider.breaker, self.clock.now())
        if changed is None or changed is provider.breaker:
            return False
        provider.breaker = changed
        self._tell(provider)
        return True

    def opened(self, provider: GuardedProvider) -> None:
        """By the calls of this process alone the breaker opened. With a store, the next exchange decides."""
        if self.states is None:
            self._tell(provider)

    def _is_fresh(self) -> bool:
        age_s = asyncio.get_running_loop().time() - self._synced_s
        return self.states is None or age_s < (APART_S if self._is_apart else FRESH_S)

    async def _step(self, providers: Sequence[GuardedProvider]) -> None:
        if self.states is None or not providers:
            return
        try:
            async with asyncio.timeout(WITHIN_S):
                await self._exchange(self.states, providers)
            self._is_apart = False
        except (Unavailable, StorageRefused, TimeoutError) as error:
            self._complain(error)
            for each in providers:
                self._tell(each)
        self._synced_s = asyncio.get_running_loop().time()

    async def _exchange(self, states: ProviderStates, providers: Sequence[GuardedProvider]) -> None:
        left = providers
        for _ in range(_TRIES):
            stored = {each.provider: each for each in await states.look([each.name for each in left])}
            now = self.clock.now()
            offers = [self._offer(each, stored.get(each.name), now) for each in left]
            changes = [offer for offer in offers if offer is not None]
            if not changes:
                return
            answers = await states.save([offer.record for offer in changes])
            for offer, is_saved in zip(changes, answers, strict=True):
                if is_saved:
                    self._saved(offer, now)
            left = [offer.provider for offer, is_saved in zip(changes, answers, strict=True) if not is_saved]
            if not left:
                return

    def _offer(
        self, provider: GuardedProvider, stored: ProviderRecord | None, now: datetime
    ) -> _Offer | None:
        """Return what to save of a provider; if nothing, go by what is stored."""
        known = stored or evolve(provider.record(), breaker=_new(now), version=0)
        sent = provider.unsaved.last(self.policy.window, now=now)
        limits = provider.limits.as_record() if provider.shows_limits else known.limits
        counts = bool(sent.slots) and known.breaker.is_closed
        if counts or stored is None or limits != known.limits:
            breaker = known.breaker.tally(sent, now=now, policy=self.policy)
            record = evolve(known, breaker=breaker, limits=limits)
            return _Offer(provider=provider, record=record, sent=provider.unsaved)
        provider.shows_limits = False
        provider.unsaved = CallWindow()  # a breaker that is not closed counts nothing
        self._follow(provider, known, now)
        return None

    def _saved(self, offer: _Offer, now: datetime) -> None:
        provider = offer.provider
        provider.unsaved = provider.unsaved.minus(offer.sent)
        provider.shows_limits = False
        provider.adopt(_next(offer.record, offer.record.breaker), now=now)
        self._tell(provider)

    async def _moved(self, states: ProviderStates, provider: GuardedProvider, change: Change) -> bool:
        for _ in range(_TRIES):
            stored = await states.look([provider.name])
            now = self.clock.now()
            record = stored[0] if stored else evolve(provider.record(), version=0)
            changed = change(record.breaker, now)
            if changed is None or changed is record.breaker:
                self._follow(provider, record, now)
                return False
            [is_saved] = await states.save([evolve(record, breaker=changed)])
            if is_saved:
                provider.adopt(_next(record, changed), now=now)
                self._tell(provider)
                return True
        return False

    def _follow(self, provider: GuardedProvider, record: ProviderRecord, now: datetime) -> None:
        """Go by what another process has stored, which has told people of it."""
        provider.told = record.breaker.state
        provider.adopt(record, now=now)

    def _tell(self, provider: GuardedProvider) -> None:
        """Let people know of a change of state that this process made."""
        breaker = provider.breaker
        if breaker.state is provider.told:
            return
        provider.told = breaker.state
        fields: dict[str, object] = {"provider": provider.name}
        if breaker.state is BreakerState.OPEN:
            seen = breaker.window
            fields["reason"] = f"{seen.failures} of {seen.calls} calls failed"
            fields["until"] = None if breaker.until is None else breaker.until.isoformat(timespec="seconds")
        self.observer.noted(_EVENTS[breaker.state], **fields)

    def _complain(self, error: BaseException) -> None:
        if not self._is_apart:
            self.observer.noted("breakers are not shared", reason=str(error) or "the store did not answer")
        self._is_apart = True


def _new(now: datetime) -> Breaker:
    return Breaker(state=BreakerState.CLOSED, since=now)


def _next(record: ProviderRecord, breaker: Breaker) -> ProviderRecord:
    return evolve(record, breaker=breaker, version=record.version + 1)
