"""Processes that guard one provider, over one store in memory and in virtual time."""

import asyncio

from attrs import define, field

from jobmill.adapters.memory import MemoryStore
from jobmill.adapters.memory.clocks import LoopClock
from jobmill.adapters.memory.entropy import SeededEntropy
from jobmill.adapters.memory.tables import Tables
from jobmill.application.local_buckets import LocalTokenBuckets
from jobmill.application.ports.guard import CallResult, Go, Shut
from jobmill.application.provider_guard import Protection
from jobmill.application.provider_limits import ProviderLimits
from jobmill.domain.circuit_breaker import Breaker
from jobmill.testing.cable import Cable
from jobmill.testing.notes import Notes

SMS = "sms:twilio"


@define(kw_only=True, eq=False, slots=False)
class Guarding:
    """One process; those with the same tables share a store."""

    tables: Tables = field(factory=Tables)
    seed: int = 1
    limits: ProviderLimits = field(factory=ProviderLimits)
    cable: Cable = field(factory=Cable)
    notes: Notes = field(factory=Notes)
    statements: list[str] = field(factory=list)
    _running: "asyncio.Task[None] | None" = None

    def __attrs_post_init__(self) -> None:
        """Wire it as the container does."""
        clock = LoopClock()
        self.cable.trouble = self.statements.append
        self.store = MemoryStore(clock=clock, tables=self.tables, faults=self.cable)
        self.guard = Protection(
            clock=clock,
            entropy=SeededEntropy(self.seed),
            observer=self.notes,
            buckets=LocalTokenBuckets(),
        )
        self.guard.declare(SMS, self.limits)
        self.guard.share(self.store.providers, clock=clock, observer=self.notes)

    def start(self) -> None:
        """Exchange in the background, as a running process does."""
        self._running = asyncio.create_task(self.guard.run())

    def stop(self) -> None:
        """End that."""
        if self._running is not None:
            self._running.cancel()

    async def go(self, *, attempt: int = 1) -> Go:
        """Ask, and be allowed to call."""
        answer = await self.guard.ask(SMS, attempt=attempt)
        assert isinstance(answer, Go), answer
        return answer

    async def shut(self, *, attempt: int = 1) -> Shut:
        """Ask, and be turned away."""
        answer = await self.guard.ask(SMS, attempt=attempt)
        assert isinstance(answer, Shut), answer
        return answer

    async def calls(self, number: int, result: CallResult = CallResult.FAILED, *, attempt: int = 1) -> None:
        """Make calls, one after the other, that all end so."""
        for _ in range(number):
            await self.guard.tell(await self.go(attempt=attempt), result)

    async def opens(self) -> None:
        """Let the provider fail until the breaker is open, for everybody."""
        await self.calls(10)
        await asyncio.sleep(1.5)

    @property
    def stored(self) -> Breaker:
        """The breaker in the store."""
        return self.tables.providers[SMS].breaker


async def passes(seconds: float) -> None:
    """Let time pass."""
    await asyncio.sleep(seconds)
