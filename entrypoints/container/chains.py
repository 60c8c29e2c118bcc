"""Putting the providers that a setting names into the order of preference."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Generic, TypeVar

from attrs import frozen

from jobmill.application.errors import WrongAddress
from jobmill.application.ports.guard import ProviderGuard
from jobmill.application.ports.providers import Carrier
from jobmill.application.provider_limits import LIMIT_OPTIONS, OnOpen, ProviderLimits
from jobmill.application.provider_urls import without_options
from jobmill.application.shipped.provider_chain import Choice, OnDoubt, ProviderChain, carries_any
from jobmill.domain.errors import InvalidInput

M = TypeVar("M")

#: What the address of any provider may say of its place in the chain.
CHAIN_OPTIONS: Final = frozenset({*LIMIT_OPTIONS, "on_doubt"})


@frozen(kw_only=True)
class Offer(Generic[M]):
    """A carrier by its name, and which messages are for it."""

    name: str
    carrier: Carrier[M]
    carries: Callable[[M], bool] = carries_any


async def open_chain(
    kind: str,
    urls: Sequence[str],
    carrier_for: Callable[[str], Awaitable[Offer[M]]],
    *,
    guard: ProviderGuard,
    doubles_are_harmless: bool,
) -> ProviderChain[M]:
    """Return the chain of one type of job.

    Args:
        kind: the type, with which the names of its providers begin.
        urls: at least one.
        carrier_for: opens the carrier for an address without the chain's own options.
        doubles_are_harmless: the receiver knows a message that comes twice; else one that may have been
            taken by one provider is never handed to another, neither now nor by a later attempt.

    Raises:
        WrongAddress: an address cannot be used; its secrets are not repeated.
    """
    on_doubt = OnDoubt.FAILOVER
    if not doubles_are_harmless:
        on_doubt = OnDoubt.RETRY if len(urls) == 1 else OnDoubt.FAIL
    choices: list[Choice[M]] = []
    seen: Counter[str] = Counter()
    for at, url in enumerate(urls, start=1):
        rest, options = without_options(url, CHAIN_OPTIONS)
        offer = await carrier_for(rest)
        limits = _limits(options, otherwise=OnOpen.WAIT if at == len(urls) else OnOpen.FAILOVER)
        name = f"{kind}:{offer.name}"
        seen[name] += 1
        name = name if seen[name] == 1 else f"{name}-{seen[name]}"
        guard.declare(name, limits)
        choices.append(
            Choice(
                name=name,
                carrier=offer.carrier,
                carries=offer.carries,
                on_open=limits.on_open,
                on_doubt=_on_doubt(options, on_doubt),
            )
        )
    return ProviderChain(choices=tuple(choices), guard=guard)


def _limits(options: Mapping[str, str], *, otherwise: OnOpen) -> ProviderLimits:
    """Read the limits; ``otherwise`` is what becomes of a job where the address does not say it."""
    try:
        return ProviderLimits.read({"on_open": otherwise.value, **options})
    except InvalidInput as error:
        faults = "; ".join(f"{fault.pointer.removeprefix('/')}= {fault.detail}" for fault in error.faults)
        raise WrongAddress(faults) from None


def _on_doubt(options: Mapping[str, str], default: OnDoubt) -> OnDoubt:
    if "on_doubt" not in options:
        return default
    try:
        return OnDoubt(options["on_doubt"])
    except ValueError:
        known = ", ".join(str(word.value) for word in OnDoubt)
        raise WrongAddress(f"on_doubt= must be one of {known}") from None
