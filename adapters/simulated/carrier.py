"""A provider that only pretends."""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from attrs import frozen

from jobmill.application.errors import WrongAddress
from jobmill.application.ports.clock import Entropy
from jobmill.application.ports.providers import Carrier, ProviderRefused, ProviderUnavailable
from jobmill.application.provider_urls import ProviderUrl

SHAPE: Final = "simulate://?latency_s=0.5&failure_rate=0.05"
OPTIONS: Final = frozenset({"latency_s", "failure_rate", "failure"})
LATENCY_S_DEFAULT: Final = 0.05
LATENCY_S_MAX: Final = 3_600.0

#: The words for how it fails.
FAILURES: Final = ("unavailable", "busy", "doubt", "refused")


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


@frozen(kw_only=True)
class SimulatedCarrier(Carrier[_Keyed]):
    """Takes every message after a while, but for a share of them.

    Args:
        latency_s: how long each send takes, in seconds.
        failure_rate: the share that fails after that, from 0 to 1.
        failure: how, in one of the words of ``FAILURES``.
    """

    entropy: Entropy
    latency_s: float = LATENCY_S_DEFAULT
    failure_rate: float = 0.0
    failure: str = "unavailable"

    async def send(self, message: _Keyed, /) -> Mapping[str, str]:
        """Return an id that leads nowhere."""
        await asyncio.sleep(self.latency_s)
        if self.entropy.fraction() < self.failure_rate:
            raise _failed(self.failure)
        return {"id": f"simulated-{message.key}"}


def read_simulation(url: ProviderUrl, *, entropy: Entropy) -> SimulatedCarrier:
    """Read ``simulate://``; raises ``WrongAddress`` where a number or a word in it is none."""
    options = url.only(OPTIONS)
    if url.host or url.path.strip("/") or url.username is not None:
        raise WrongAddress(f"the simulate address has options only, as in {SHAPE}")
    failure = options.get("failure", "unavailable")
    if failure not in FAILURES:
        raise WrongAddress(f"failure= in the simulate address must be one of {', '.join(FAILURES)}")
    return SimulatedCarrier(
        entropy=entropy,
        latency_s=_number(options, "latency_s", LATENCY_S_DEFAULT, LATENCY_S_MAX),
        failure_rate=_number(options, "failure_rate", 0.0, 1.0),
        failure=failure,
    )


def _failed(how: str) -> Exception:
    if how == "refused":
        return ProviderRefused("simulated failure (refused)")
    named = "simulated failure" if how == "unavailable" else f"simulated failure ({how})"
    return ProviderUnavailable(named, in_doubt=how == "doubt", is_busy=how == "busy")


def _number(options: Mapping[str, str], name: str, default: float, high: float) -> float:
    try:
        value = float(options.get(name, default))
    except ValueError:
        value = -1.0
    if not 0 <= value <= high:  # neither is a NaN
        raise WrongAddress(f"{name}= in the simulate address must be a number from 0 to {high:g}")
    return value
