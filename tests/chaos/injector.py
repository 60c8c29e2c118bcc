"""The seeded plan, carried out: faults in several lanes at once, each timed until work goes on."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from attrs import define, evolve, field, frozen

from tests.chaos.faults import messages, network, processes, servers
from tests.chaos.faults.scene import Aftermath, Fault, NotPossible, Scene

#: After these a fault or a recovery is not waited for any longer.
FAULT_WITHIN_S: Final = 180.0
RECOVERS_WITHIN_S: Final = 120.0
#: So long the next fault of a lane waits for the recovery from the last one.
NEXT_AFTER_S: Final = 10.0
#: Before a fault that could not be made is followed by the next.
PAUSE_S: Final = 0.5


@frozen(kw_only=True)
class Lane:
    """Faults that come one after the other.

    Args:
        gap_s: from a recovery to the next fault, at least and at most.
    """

    name: str
    faults: Sequence[Fault]
    gap_s: tuple[float, float]

    def plan(self, chance: random.Random) -> Iterator[Fault]:
        """Every fault of the lane in an order drawn by chance, again and again."""
        while True:
            yield from chance.sample(list(self.faults), len(self.faults))


#: An exclusive fault waits for the lanes in this order, so those whose faults take long come first.
LANES: Final = (
    Lane(name="poison", faults=processes.POISON, gap_s=(5.0, 15.0)),
    Lane(name="freezes", faults=processes.FREEZES, gap_s=(1.0, 5.0)),
    Lane(name="servers", faults=(*servers.FAULTS, *network.LASTING), gap_s=(1.0, 4.0)),
    Lane(name="messages", faults=(*messages.FAULTS, *network.SUDDEN), gap_s=(0.3, 2.0)),
    Lane(name="processes", faults=processes.FAULTS, gap_s=(0.2, 1.5)),
    Lane(name="releases", faults=(processes.ROLLING,), gap_s=(60.0, 120.0)),
)


def lanes_of(*, only: Collection[str] = (), without: Collection[str] = ()) -> list[Lane]:
    """The lanes with some of their faults; one that has none left is left out.

    Raises:
        ValueError: there is no fault of that name.
    """
    known = {fault.name for lane in LANES for fault in lane.faults}
    if unknown := {*only, *without} - known:
        raise ValueError(f"no fault is called {sorted(unknown)}; there are {sorted(known)}")
    chosen = (known & set(only) or known) - set(without)
    narrowed = [
        evolve(lane, faults=[fault for fault in lane.faults if fault.name in chosen]) for lane in LANES
    ]
    return [lane for lane in narrowed if lane.faults]


@define(kw_only=True)
class Incident:
    """One fault that was made. Times are seconds since the start of the load."""

    kind: str
    lane: str
    began_s: float
    ended_s: float = 0.0
    #: When work went on; None if it did not in time, or if that is not known yet.
    recovered_s: float | None = None
    aftermath: Aftermath = field(factory=Aftermath)

    @property
    def recovery_s(self) -> float | None:
        """From the end of the fault until work went on."""
        return None if self.recovered_s is None else self.recovered_s - self.ended_s


@define(kw_only=True)
class Injector:
    """Makes faults until told to stop.

    Args:
        began_s: when the load began, by the loop's clock.
    """

    scene: Scene
    lanes: Sequence[Lane]
    chance: random.Random
    began_s: float
    incidents: list[Incident] = field(factory=list, init=False)
    #: Faults that could not be made, by reason.
    skipped: Counter[str] = field(factory=Counter, init=False)
    going_on: list[Incident] = field(factory=list, init=False)
    _turns: Mapping[str, asyncio.Lock] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Give each lane its turn."""
        self._turns = {lane.name: asyncio.Lock() for lane in self.lanes}

    async def run(self, stop: asyncio.Event) -> None:
        """Make faults until ``stop``; what was begun by then is healed when this returns."""
        async with asyncio.TaskGroup() as group:
            for lane in self.lanes:
                chance = random.Random(self.chance.random())
                group.create_task(self._follow(lane, chance, group, stop))

    async def _follow(
        self, lane: Lane, chance: random.Random, group: asyncio.TaskGroup, stop: asyncio.Event
    ) -> None:
        for fault in itertools.takewhile(lambda _: not stop.is_set(), lane.plan(chance)):
            await _pause(chance.uniform(*lane.gap_s), stop)
            names = [each.name for each in self.lanes] if fault.is_exclusive else [lane.name]
            turns = [self._turns[name] for name in names]
            for turn in turns:
                await turn.acquire()
            try:
                if not stop.is_set():
                    await self._inject(lane, fault, chance, group)
            finally:
                for turn in turns:
                    turn.release()

    async def _inject(
        self, lane: Lane, fault: Fault, chance: random.Random, group: asyncio.TaskGroup
    ) -> None:
        incident = Incident(kind=fault.name, lane=lane.name, began_s=self._now_s())
        self.going_on.append(incident)
        try:
            async with asyncio.timeout(FAULT_WITHIN_S):
                incident.aftermath = await fault.act(self.scene, chance)
            incident.ended_s = self._now_s()
            self.incidents.append(incident)
            recovery = group.create_task(self._recover(incident))
            await asyncio.wait({recovery}, timeout=NEXT_AFTER_S)
        except TimeoutError:
            incident.ended_s = self._now_s()
            self.incidents.append(incident)  # without a recovery; the audit says what is lost
        except NotPossible as reason:
            self.skipped[f"{fault.name}: {str(reason)[:80]}"] += 1
            await asyncio.sleep(PAUSE_S)
        finally:
            self.going_on.remove(incident)

    async def _recover(self, incident: Incident) -> None:
        try:
            async with asyncio.timeout(RECOVERS_WITHIN_S):
                touched = incident.aftermath.touched
                await self.scene.watch.ended(touched or await self.scene.submit(incident.aftermath.probe))
        except TimeoutError:
            return
        incident.recovered_s = self._now_s()

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time() - self.began_s


async def _pause(for_s: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(for_s):
            await stop.wait()
    except TimeoutError:
        pass  # time for the next fault
