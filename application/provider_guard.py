"""The guard of all providers: breaker, pause, concurrency, retry budget and rate, asked in this order."""

import asyncio
import math
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from jobmill.application.breaker_exchange import BreakerExchange
from jobmill.application.errors import Unavailable
from jobmill.application.guarded_provider import Call, GuardedProvider, ProviderSeen
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.guard import CallResult, Go, Outlook, ProviderGuard, Shut
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.provider_states import PROVIDERS_MAX, ProviderStates
from jobmill.application.ports.token_buckets import TokenBuckets
from jobmill.application.provider_limits import ProviderLimits
from jobmill.domain.circuit_breaker import Breaker, BreakerPolicy

#: Counts are brought to the store, and the others' changes seen, so often.
EXCHANGE_EVERY_S: Final = 1.0
#: A process that was asked for nothing in so long leaves the store alone until it is asked again.
IDLE_AFTER_S: Final = 60.0
FORGET_EVERY_S: Final = 3_600.0
KEPT: Final = timedelta(days=7)
FORGET_MAX: Final = 100
_WELL: Final = frozenset({CallResult.SUCCEEDED, CallResult.REFUSED})


class Protection(ProviderGuard):
    """Protects providers from this process, and its jobs from providers that are down.

    It works from memory; a store, once there is one, is asked about once a second and when a breaker moves.
    Of a provider that nobody declared, the default limits hold.

    Args:
        clock: of this machine, until there is a store.
        buckets: where the rates are kept.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        observer: Observer,
        buckets: TokenBuckets,
        policy: BreakerPolicy | None = None,
    ) -> None:
        self._entropy = entropy
        self._buckets = buckets
        self._policy = policy or BreakerPolicy()
        self._exchange = BreakerExchange(policy=self._policy, clock=clock, observer=observer)
        self._limits: dict[str, ProviderLimits] = {}
        self._providers: dict[str, GuardedProvider] = {}
        self._tickets = count(1)
        self._wake = asyncio.Event()
        self._asked_s = -math.inf

    def declare(self, provider: str, limits: ProviderLimits) -> None:
        """See ``ProviderGuard``."""
        self._limits[provider] = limits
        if (known := self._providers.get(provider)) is not None:
            known.limit(limits, now_s=_now_s())

    def share(self, states: ProviderStates, *, clock: Clock, observer: Observer) -> None:
        """Share the breakers with all processes on a store, whose clock counts from now on."""
        self._exchange.states = states
        self._exchange.clock = clock
        self._exchange.observer = observer

    @property
    def seen(self) -> tuple[ProviderSeen, ...]:
        """How the providers are of which this process knows anything."""
        now_s = _now_s()
        return tuple(each.seen(now_s) for each in self._providers.values())

    def outlook(self, provider: str) -> Outlook:
        """See ``ProviderGuard``. A breaker that others opened is known as soon as counts are exchanged."""
        known = self._known(provider)
        breaker = known.breaker
        if not breaker.is_closed and not breaker.may_probe(self._exchange.clock.now()):
            return Outlook.SHUT
        if known.pause.wait_s(_now_s()):
            return Outlook.SHUT
        return Outlook.CLEAR if breaker.is_closed else Outlook.TRIAL

    async def ask(self, provider: str, *, attempt: int) -> Go | Shut:
        """See ``ProviderGuard``."""
        if self._is_idle():
            self._wake.set()
        known = self._known(provider)
        known.asked_s = self._asked_s = _now_s()
        await self._exchange.refresh(self._providers.values())
        known.forget_lost_calls(_now_s())
        if (shut := self._shut(known)) is not None:
            return shut
        ticket = next(self._tickets)
        known.begin(
            ticket, probe=None, now_s=_now_s()
        )  # a place, for as long as there is something to wait for
        answer: Go | Shut | None = None
        try:
            answer = await self._granted(known, ticket, attempt)
        finally:
            if not isinstance(answer, Go):
                known.calls.pop(ticket, None)
        return answer

    async def tell(self, go: Go, result: CallResult, *, retry_after: timedelta | None = None) -> None:
        """See ``ProviderGuard``. What is told twice, or of a call that was given up, changes nothing."""
        known, now_s = self._known(go.provider), _now_s()
        call = known.end(go.ticket, is_well=result in _WELL, now_s=now_s)
        if call is None:
            return
        if result is CallResult.BUSY:
            retry_after_s = None if retry_after is None else retry_after.total_seconds()
            known.pause = known.pause.busy(started_s=call.started_s, now_s=now_s, retry_after_s=retry_after_s)
            if known.limits.rate is not None:
                await self._buckets.close(known.name, timedelta(seconds=known.pause.wait_s(now_s)))
        elif result in _WELL:
            known.pause = known.pause.well(started_s=call.started_s)
        if call.probe is not None:
            await self._judge(known, call.probe, result)
        elif result is not CallResult.BUSY:
            failed = result is CallResult.FAILED
            if known.count(failed=failed, now=self._exchange.clock.now()):
                self._exchange.opened(known)
                self._wake.set()  # the others shall know now

    async def run(self) -> None:
        """Exchange with the store until cancelled."""
        forgot_s = _now_s()
        while True:
            self._wake.clear()
            for provider in self._limits:
                self._known(provider)
            await self._exchange.sync(self._providers.values())
            if _now_s() - forgot_s >= FORGET_EVERY_S:
                forgot_s = _now_s()
                await self._forget()
            pause_s = FORGET_EVERY_S if self._is_idle() else EXCHANGE_EVERY_S
            try:
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _shut(self, known: GuardedProvider) -> Shut | None:
        """Look at what is known without asking anybody."""
        now, now_s = self._exchange.clock.now(), _now_s()
        if not known.breaker.is_closed and (known.is_probing or not known.breaker.may_probe(now)):
            return self._shut_by_breaker(known, now)
        if pause_s := known.pause.wait_s(now_s):
            return _turned_away(known, pause_s, "asked for a pause")
        if room_in_s := known.room_in_s(now_s):
            return _turned_away(
                known, room_in_s, f"bears no more than {int(known.concurrency.limit)} calls at once"
            )
        return None

    async def _granted(self, known: GuardedProvider, ticket: int, attempt: int) -> Go | Shut:
        """Take what a call needs: a retry from the budget, a token, the probe."""
        is_retry = attempt > 1 and known.breaker.is_closed
        if is_retry:
            known.budget, wait_s = known.budget.retry(_now_s())
            if wait_s:
                share = f"{known.limits.retry_share:.0%}"
                return _turned_away(known, wait_s, f"had more retries than {share} of its first attempts")
        if known.limits.rate is not None:
            wait = await self._buckets.take(known.name, known.limits.rate)
            if wait:
                if is_retry:
                    known.budget = known.budget.unused(_now_s())
                return _turned_away(known, wait.total_seconds(), "is called as often as its rate allows")
        if known.breaker.is_closed:
            return self._go(known, ticket, attempt)
        return await self._probe(known, ticket, attempt)

    def _go(self, known: GuardedProvider, ticket: int, attempt: int) -> Go:
        if attempt == 1:
            known.budget = known.budget.first_attempt(_now_s())
        return Go(provider=known.name, ticket=ticket)

    async def _probe(self, known: GuardedProvider, ticket: int, attempt: int) -> Go | Shut:
        stamp = self._entropy.stamp()
        known.is_probing = True  # others who ask here meanwhile need not go to the store
        try:
            is_ours = await self._exchange.move(
                known, lambda breaker, now: breaker.begin_probe(stamp, now=now, policy=self._policy)
            )
        finally:
            known.is_probing = False
        if is_ours:
            known.calls[ticket] = Call(started_s=_now_s(), probe=stamp)
            return Go(provider=known.name, is_probe=True, ticket=ticket)
        if known.breaker.is_closed:
            return self._go(known, ticket, attempt)
        return self._shut_by_breaker(known, self._exchange.clock.now())

    async def _judge(self, known: GuardedProvider, stamp: int, result: CallResult) -> None:
        pause = timedelta(seconds=known.pause.wait_s(_now_s()))

        def ended(breaker: Breaker, now: datetime) -> Breaker:
            if result in _WELL:
                return breaker.probe_succeeded(stamp, now=now, policy=self._policy)
            if result is CallResult.BUSY:
                return breaker.probe_undecided(stamp, now=now, wait=pause)
            return breaker.probe_failed(stamp, now=now, policy=self._policy)

        await self._exchange.move(known, ended)

    def _shut_by_breaker(self, known: GuardedProvider, now: datetime) -> Shut:
        breaker = known.breaker
        until = "" if breaker.until is None else f" until {breaker.until:%Y-%m-%d %H:%M:%S} UTC"
        return Shut(
            provider=known.name,
            wait=known.wait(now=now, fraction=self._entropy.fraction()),
            reason=f"the breaker of {known.name} is {breaker.state.value}{until}",
            is_open=True,
        )

    def _known(self, provider: str) -> GuardedProvider:
        known = self._providers.get(provider)
        if known is None:
            if len(self._providers) >= PROVIDERS_MAX:
                self._drop_one()
            known = self._providers[provider] = GuardedProvider.new(
                provider,
                self._limits.get(provider) or ProviderLimits(),
                now=self._exchange.clock.now(),
                now_s=_now_s(),
                policy=self._policy,
            )
        return known

    def _drop_one(self) -> None:
        """Forget whom nobody asked for longest, rather than to grow without bound."""
        quiet = min(self._providers.values(), key=lambda each: (bool(each.calls), each.asked_s))
        del self._providers[quiet.name]

    def _is_idle(self) -> bool:
        """Nobody asked for a while; whoever asks next finds out by himself what is new."""
        return _now_s() - self._asked_s >= IDLE_AFTER_S

    async def _forget(self) -> None:
        if self._exchange.states is not None:
            try:
                await self._exchange.states.forget(unchanged_for=KEPT, limit=FORGET_MAX)
            except Unavailable:
                pass  # in an hour


def _turned_away(known: GuardedProvider, wait_s: float, why: str) -> Shut:
    return Shut(provider=known.name, wait=timedelta(seconds=wait_s), reason=f"{known.name} {why}")


def _now_s() -> float:
    return asyncio.get_running_loop().time()
