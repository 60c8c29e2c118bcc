"""What a fault may use, and what it leaves behind."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from attrs import define, field, frozen

from tests.chaos.client import Client
from tests.chaos.crew import Member
from tests.chaos.mix import Order, probe
from tests.chaos.stage import Stage
from tests.chaos.watch import Watch


class NotPossible(Exception):
    """The fault cannot be made at this moment, as when another one has what it needs."""


@define(kw_only=True)
class Aftermath:
    """What a fault has to tell.

    Args:
        note: shown to people.
        probe: the job by which recovery is seen.
        killed: processes that died at once, with the moment; their jobs have to be run again.
        rolled: processes that were asked to end, and when; from then on they must cost no job an attempt.
        touched: single jobs that were harmed; recovery is seen when all of them have ended.
    """

    note: str = ""
    probe: Order = field(factory=probe)
    killed: list[tuple[int, datetime]] = field(factory=list)
    rolled: list[tuple[int, datetime]] = field(factory=list)
    touched: Sequence[UUID] = ()


@define(kw_only=True)
class Tally:
    """What was put into the broker."""

    garbage: int = 0
    doubled: int = 0
    dropped: int = 0


@frozen(kw_only=True)
class Scene:
    """The stage, and the means to act on it.

    Args:
        busy: members that another fault has at this moment.
    """

    stage: Stage
    client: Client
    watch: Watch
    tally: Tally = field(factory=Tally)
    busy: set[Member] = field(factory=set)

    def pick(self, role: str, chance: random.Random) -> Member:
        """A working process that no other fault has; raises ``NotPossible`` if there is none."""
        free = [each for each in self.stage.crew.of(role) if each not in self.busy and each.is_ready]
        if not free:
            raise NotPossible(f"no {role} works that could be harmed")
        return chance.choice(free)

    async def submit(self, *orders: Order) -> list[UUID]:
        """Submit jobs of the fault's own."""
        return [job_id for order in orders for job_id in await self.client.submit([order])]


Act = Callable[[Scene, random.Random], Awaitable[Aftermath]]


@frozen(kw_only=True)
class Fault:
    """One kind of fault.

    Args:
        is_exclusive: no other fault may be going on.
    """

    name: str
    act: Act
    is_exclusive: bool = False


def now() -> datetime:
    """The moment, as everybody on this machine sees it."""
    return datetime.now(UTC)


async def breathe(chance: random.Random, low_s: float, high_s: float) -> None:
    """Let the fault last for a while."""
    await asyncio.sleep(chance.uniform(low_s, high_s))
