"""Losing single messages of a broker that lives on, and counting what it holds."""

import asyncio
from collections import Counter
from typing import Final
from uuid import UUID

from jobmill.adapters.memory.message import Message
from jobmill.application.codec.barriers import open_barrier
from jobmill.application.codec.parcels import open_parcel
from jobmill.application.lost_notices import SLACK
from jobmill.application.ports.barriers import Barrier
from jobmill.application.ports.message_bus import Lane, Parcel, PublishOutcome
from jobmill.domain.job import Job
from jobmill.domain.states import Priority

from tests.nodes import LEASE, Node
from tests.world import World

LANE: Final = Lane(queue="default", priority=Priority.NORMAL)
ACK_S: Final = LEASE.ack_deadline.total_seconds()
SLACK_S: Final = SLACK.total_seconds()
STEP_S: Final = 2.0


async def steps_for(node: Node, seconds: float) -> None:
    """A leader's steps."""
    for _ in range(round(seconds / STEP_S)):
        await node.reconciler.step()
        await asyncio.sleep(STEP_S)


def lose(world: World, job: Job, *, lane: Lane = LANE) -> None:
    """The broker loses the one message that announces a job."""
    ready = world.broker.line(lane).ready
    [message] = [each for each in ready if job.id in _jobs_in(each)]
    ready.remove(message)


def lose_barriers(world: World) -> int:
    """The broker loses the barriers that wait in the lane; how many there were."""
    ready = world.broker.line(LANE).ready
    gone = [message for message in ready if open_barrier(message.body)]
    for message in gone:
        ready.remove(message)
    return len(gone)


def barriers_in(world: World) -> list[Barrier]:
    """The barriers in the lane."""
    opened = (open_barrier(message.body) for message in world.broker.line(LANE).ready)
    return [barrier for barrier in opened if barrier is not None]


def copies(world: World) -> Counter[UUID]:
    """How many messages announce each job and wait; one in hand may hold jobs that were sent back since."""
    lines = (line.ready for line in world.broker._lines.values())
    return Counter(job for line in lines for message in line for job in _jobs_in(message))


def barriers_sent_by(*nodes: Node) -> list[Barrier]:
    """A list that grows with each barrier that one of these publishes from now on."""
    sent: list[Barrier] = []

    def note(moment: str, parcel: Parcel) -> PublishOutcome | None:
        barrier = open_barrier(parcel.body)
        if moment == "after" and barrier is not None:
            sent.append(barrier)
        return None

    for node in nodes:
        node.bus.faults = note
    return sent


def replaced(world: World) -> int:
    """How many notices were taken for lost and written again, by all processes."""
    told = (told for node in world.nodes for told in node.notes.events)
    return sum(int(str(fields["jobs"])) for name, fields in told if name == "lost notices replaced")


def _jobs_in(message: Message) -> list[UUID]:
    if open_barrier(message.body):
        return []
    return [job.id for job in open_parcel(message.body).jobs]
