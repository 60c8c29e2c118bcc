"""Processes that are killed, asked to end, or stopped in their tracks."""

import asyncio
import random
import re
import signal
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from tests.chaos.crew import Member
from tests.chaos.faults.scene import Aftermath, Fault, NotPossible, Scene, now
from tests.chaos.mix import poison, probe
from tests.servers.descendants import send
from tests.servers.waiting import until

#: A lease lasts 15 s.
PAST_LEASE_S: Final = 16.0
ENDS_WITHIN_S: Final = 30.0
#: Signals closer together than half a second count as one.
SECOND_SIGNAL_AFTER_S: Final = 0.7


@contextmanager
def _having(scene: Scene, *members: Member) -> Generator[None]:
    scene.busy.update(members)
    try:
        yield
    finally:
        scene.busy.difference_update(members)


async def kill_worker(scene: Scene, chance: random.Random) -> Aftermath:
    """SIGKILL, as the system does when memory is short."""
    return await _kill(scene, scene.pick("worker", chance))


async def kill_leader(scene: Scene, chance: random.Random) -> Aftermath:
    """SIGKILL to the worker that does the chores for all."""
    holder = str(await scene.watch.one("select holder from leadership"))
    for member in scene.stage.crew.of("worker"):
        if member not in scene.busy and member.is_ready and names(holder, member.pid):
            return await _kill(scene, member)
    raise NotPossible(f"the leader is {holder}, which does not run")


async def kill_api(scene: Scene, chance: random.Random) -> Aftermath:
    """SIGKILL in the middle of its answers."""
    member = scene.pick("api", chance)
    with _having(scene, member):
        member.signal(signal.SIGKILL)
        await _replaced(member, member.pid)
    return Aftermath(note=member.name)


async def end_worker(scene: Scene, chance: random.Random) -> Aftermath:
    """SIGTERM."""
    member = scene.pick("worker", chance)
    return Aftermath(note=member.name, rolled=[await _end(scene, member)])


async def end_api(scene: Scene, chance: random.Random) -> Aftermath:
    """SIGTERM with requests under way."""
    member = scene.pick("api", chance)
    await _end(scene, member)
    return Aftermath(note=member.name)


async def end_twice(scene: Scene, chance: random.Random) -> Aftermath:
    """SIGTERM and, before the grace is over, once more: then it ends at once."""
    member = scene.pick("worker", chance)
    with _having(scene, member):
        pid = member.signal(signal.SIGTERM)
        await asyncio.sleep(SECOND_SIGNAL_AFTER_S)
        second_at = now()
        if not member.process.has_ended and member.pid == pid:
            member.signal(signal.SIGTERM)
        await _replaced(member, pid)
    return Aftermath(note=member.name, killed=[(pid, second_at)])


async def freeze_past_lease(scene: Scene, chance: random.Random) -> Aftermath:
    """SIGSTOP for longer than a lease, then SIGCONT: it wakes up and others have its jobs."""
    return await _freeze(scene, scene.pick("worker", chance), PAST_LEASE_S + chance.uniform(0.0, 3.0))


async def freeze_shortly(scene: Scene, chance: random.Random) -> Aftermath:
    """SIGSTOP and SIGCONT within the lease."""
    return await _freeze(scene, scene.pick("worker", chance), chance.uniform(2.0, 6.0))


async def poison_once(scene: Scene, chance: random.Random) -> Aftermath:
    """A job that kills one or two workers and then succeeds."""
    return await _poison(scene, kills=chance.randint(1, 2), attempts=20)


async def poison_to_the_end(scene: Scene, chance: random.Random) -> Aftermath:
    """A job that kills whoever runs it, until its attempts are spent."""
    return await _poison(scene, kills=2, attempts=2)


async def roll_all(scene: Scene, chance: random.Random) -> Aftermath:
    """A release: every process is asked to end and replaced, one after the other."""
    aftermath = Aftermath(note="all processes")
    for member in scene.stage.crew.members:
        if not member.is_ready and not await member.is_back():
            raise NotPossible(f"{member.name} does not come up")
        ended = await _end(scene, member)
        if member.role == "worker":
            aftermath.rolled.append(ended)
    return aftermath


def names(worker: str, pid: int) -> bool:
    """Whether a worker's name is that of the process with this id."""
    return re.search(rf":{pid}(\D|$)", worker) is not None


async def _kill(scene: Scene, member: Member) -> Aftermath:
    with _having(scene, member):
        pid, at = member.pid, now()
        member.signal(signal.SIGKILL)
        await _replaced(member, pid)
    return Aftermath(note=member.name, killed=[(pid, at)])


async def _end(scene: Scene, member: Member) -> tuple[int, datetime]:
    with _having(scene, member):
        at = now()
        pid = member.signal(signal.SIGTERM)
        await _replaced(member, pid)
    return pid, at


async def _replaced(member: Member, pid: int) -> None:
    async def other() -> bool:
        return member.pid != pid

    if not await until(other, within_s=ENDS_WITHIN_S):
        raise NotPossible(f"{member.name} has not ended within {ENDS_WITHIN_S:g} s")
    if not await member.is_back():
        raise NotPossible(f"{member.name} does not come up")


async def _freeze(scene: Scene, member: Member, for_s: float) -> Aftermath:
    with _having(scene, member):
        pid = member.pid
        send(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(for_s)
        finally:
            send(pid, signal.SIGCONT)
    return Aftermath(note=f"{member.name} for {for_s:.0f} s")


async def _poison(scene: Scene, *, kills: int, attempts: int) -> Aftermath:
    crew = scene.stage.crew
    crew.poison_open += 1
    try:
        ids = await scene.submit(poison(kills, attempts=attempts))
        await scene.watch.ended(ids)
    finally:
        crew.poison_open -= 1
    return Aftermath(note=f"kills {kills}", probe=probe("slow"))


FAULTS: Final = (
    Fault(name="SIGKILL worker", act=kill_worker),
    Fault(name="SIGKILL leader", act=kill_leader),
    Fault(name="SIGKILL api", act=kill_api),
    Fault(name="SIGTERM worker", act=end_worker),
    Fault(name="SIGTERM api", act=end_api),
    Fault(name="SIGTERM worker twice", act=end_twice),
)
POISON: Final = (
    Fault(name="poison job", act=poison_once),
    Fault(name="poison job to the end", act=poison_to_the_end),
)
FREEZES: Final = (
    Fault(name="SIGSTOP worker past its lease", act=freeze_past_lease),
    Fault(name="SIGSTOP worker shortly", act=freeze_shortly),
)
ROLLING: Final = Fault(name="rolling restart of all", act=roll_all, is_exclusive=True)
