"""Providers as tests want them, and guards that say what they are told."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Generic, TypeVar

from attrs import define, field

from jobmill.application.open_guard import OpenGuard
from jobmill.application.ports.guard import CallResult, Go, Outlook, ProviderGuard, Shut
from jobmill.application.ports.providers import Carrier
from jobmill.application.provider_limits import OnOpen, ProviderLimits
from jobmill.application.shipped.provider_chain import Choice, OnDoubt, ProviderChain

M = TypeVar("M")


def alone(carrier: Carrier[M]) -> ProviderChain[M]:
    """A chain of one provider, which nobody guards."""
    return ProviderChain(choices=(a_choice("the provider", carrier),), guard=OpenGuard())


def a_choice(
    name: str,
    carrier: Carrier[M],
    *,
    on_open: OnOpen = OnOpen.FAILOVER,
    on_doubt: OnDoubt = OnDoubt.RETRY,
) -> Choice[M]:
    return Choice(name=name, carrier=carrier, on_open=on_open, on_doubt=on_doubt)


@define
class Recorder(Carrier[M], Generic[M]):
    """Takes every message, or answers every one with ``trouble``."""

    trouble: BaseException | None = None
    taken: list[Any] = field(factory=list)
    asked: int = 0

    async def send(self, message: M, /) -> Mapping[str, str]:
        self.asked += 1
        if self.trouble:
            raise self.trouble
        self.taken.append(message)
        return {"id": "7"}


@define
class Doorkeeper(ProviderGuard):
    """Shuts out the providers of ``shut``, each for its seconds; remembers what it was told."""

    shut: dict[str, float] = field(factory=dict)
    is_open: bool = False  # they are shut because they are down
    probes: bool = False  # whoever may call is a probe
    outlooks: dict[str, Outlook] = field(factory=dict)
    told: list[tuple[str, CallResult, timedelta | None]] = field(factory=list)
    limits: dict[str, ProviderLimits] = field(factory=dict)

    def declare(self, provider: str, limits: ProviderLimits) -> None:
        self.limits[provider] = limits

    def outlook(self, provider: str) -> Outlook:
        return self.outlooks.get(provider, Outlook.CLEAR)

    async def ask(self, provider: str, *, attempt: int) -> Go | Shut:
        if provider in self.shut:
            wait = timedelta(seconds=self.shut[provider])
            return Shut(provider=provider, wait=wait, reason=f"{provider} is shut", is_open=self.is_open)
        return Go(provider=provider, is_probe=self.probes)

    async def tell(self, go: Go, result: CallResult, *, retry_after: timedelta | None = None) -> None:
        self.told.append((go.provider, result, retry_after))
