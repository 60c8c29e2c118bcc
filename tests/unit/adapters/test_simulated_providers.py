"""Providers that pretend: their time, their failures, their addresses."""

import asyncio
from uuid import UUID

import pytest
from attrs import define

from jobmill.adapters.simulated import SimulatedCarrier, read_simulation
from jobmill.application.errors import WrongAddress
from jobmill.application.ports.clock import Entropy
from jobmill.application.ports.providers import ProviderRefused, ProviderUnavailable, TextMessage
from jobmill.application.provider_urls import read_provider_url

from tests.virtual_time import virtually

TEXT = TextMessage(key="k", recipient="+15550100123", body="Hello")


@define
class Dice(Entropy):
    """Chance as written down."""

    roll: float = 0.5

    def job_id(self) -> UUID:
        return UUID(int=0)

    def stamp(self) -> int:
        return 0

    def fraction(self) -> float:
        return self.roll


def simulated(options: str, *, roll: float = 0.5) -> SimulatedCarrier:
    return read_simulation(read_provider_url(f"simulate://?{options}"), entropy=Dice(roll))


@virtually
async def test_it_takes_its_time_and_then_the_message() -> None:
    assert await simulated("latency_s=90&failure_rate=0.5").send(TEXT) == {"id": "simulated-k"}
    assert asyncio.get_running_loop().time() == pytest.approx(90)


@virtually
async def test_a_share_of_the_messages_fails_after_its_time() -> None:
    with pytest.raises(ProviderUnavailable, match=r"^simulated failure$") as failure:
        await simulated("latency_s=2&failure_rate=0.05", roll=0.049).send(TEXT)

    assert asyncio.get_running_loop().time() == pytest.approx(2)
    assert (failure.value.in_doubt, failure.value.is_busy) == (False, False)
    assert await simulated("failure_rate=0.05", roll=0.05).send(TEXT)


@virtually
async def test_it_fails_in_the_way_that_its_address_says() -> None:
    with pytest.raises(ProviderRefused):
        await simulated("failure_rate=1&failure=refused").send(TEXT)
    with pytest.raises(ProviderUnavailable) as doubt:
        await simulated("failure_rate=1&failure=doubt").send(TEXT)
    with pytest.raises(ProviderUnavailable) as busy:
        await simulated("failure_rate=1&failure=busy").send(TEXT)

    assert (doubt.value.in_doubt, busy.value.is_busy) == (True, True)


@pytest.mark.parametrize(
    ("address", "because"),
    [
        ("simulate://?latency_s=-1", "from 0 to 3600"),
        ("simulate://?latency_s=soon", "from 0 to 3600"),
        ("simulate://?latency_s=nan", "from 0 to 3600"),
        ("simulate://?failure_rate=1.1", "from 0 to 1"),
        ("simulate://?failure=crash", "must be one of unavailable, busy, doubt, refused"),
        ("simulate://?speed=1", "unknown options speed; known: failure, failure_rate, latency_s"),
        ("simulate://host", "options only"),
        ("simulate:///path", "options only"),
    ],
)
def test_an_address_that_cannot_be_used_says_why(address: str, because: str) -> None:
    with pytest.raises(WrongAddress, match=because):
        read_simulation(read_provider_url(address), entropy=Dice())
