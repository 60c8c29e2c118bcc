"""``DeadCopies``: sifted from the front, and nothing that is wanted gets lost."""

from collections.abc import Sequence
from typing import Protocol

import pytest

from jobmill.application.errors import StorageUnavailable
from jobmill.application.ports.dead_copies import DeadCopies, Judge
from jobmill.application.ports.message_bus import MessageBus, ToDead
from jobmill.testing.contracts.bus_world import PATIENCE_S, QUEUES, BusWorld, a_parcel
from jobmill.testing.contracts.waiting import until


class Bus(MessageBus, DeadCopies, Protocol):
    """Every bus is both."""


@pytest.fixture
def copies(bus: Bus) -> DeadCopies:
    return bus


@pytest.fixture
async def buried(mail: BusWorld, copies: DeadCopies) -> list[str]:
    """Five copies, in this order."""
    bodies = list("12345")
    for body in bodies:
        await mail.publishes(a_parcel(body, to=ToDead(queue="email"), reason="x"))
    assert await until(lambda: lie_there(copies, 5), within_s=PATIENCE_S)
    return bodies


async def lie_there(copies: DeadCopies, count: int) -> bool:
    return (await copies.count_copies(["email"]))["email"] == count


def judging(seen: list[str], *, unwanted: str = "") -> Judge:
    """Note what is shown, and want all but the bodies named."""

    async def judge(bodies: Sequence[bytes]) -> Sequence[bool]:
        seen.extend(body.decode() for body in bodies)
        return [body.decode() not in unwanted for body in bodies]

    return judge


async def test_copies_are_counted_by_queue(copies: DeadCopies, buried: list[str]) -> None:
    assert len(buried) == 5
    counts = {"default": 0, "email": 5, "fair": 0, "nobody": None}
    assert await copies.count_copies([*QUEUES, "nobody"]) == counts


async def test_what_is_not_wanted_is_gone_and_the_rest_is_there(
    copies: DeadCopies, buried: list[str]
) -> None:
    seen: list[str] = []

    assert await copies.sift("email", limit=10, judge=judging(seen, unwanted="24")) == 5

    assert seen == buried
    assert await until(lambda: lie_there(copies, 3), within_s=PATIENCE_S)
    left: list[str] = []
    await copies.sift("email", limit=10, judge=judging(left))
    assert sorted(left) == ["1", "3", "5"]


async def test_whoever_goes_on_sees_all_of_them_once(copies: DeadCopies, buried: list[str]) -> None:
    seen: list[str] = []
    for limit in (2, 2, 1):
        assert await copies.sift("email", limit=limit, judge=judging(seen)) == limit
        assert await until(lambda: lie_there(copies, 5), within_s=PATIENCE_S)

    assert seen == buried


async def test_there_may_be_nothing_to_take(copies: DeadCopies) -> None:
    assert await copies.sift("email", limit=10, judge=judging([])) == 0


async def test_a_judge_who_cannot_tell_takes_nothing_away(copies: DeadCopies, buried: list[str]) -> None:
    async def judge(_bodies: Sequence[bytes]) -> Sequence[bool]:
        raise StorageUnavailable("away")

    with pytest.raises(StorageUnavailable):
        await copies.sift("email", limit=3, judge=judge)

    assert await until(lambda: lie_there(copies, 5), within_s=PATIENCE_S)
    seen: list[str] = []
    await copies.sift("email", limit=5, judge=judging(seen))
    assert seen == buried
