"""What the tests of the relay do and see."""

from typing import Any

from jobmill.application.ports.outbox import Notice
from jobmill.domain.job import Job
from jobmill.domain.states import Target

from tests.nodes import Node
from tests.world import World


def rows(world: World) -> list[Job]:
    return [world.job(row.fence.job_id) for row in world.tables.outbox.values()]


async def offered(world: World, node: Node, **wishes: Any) -> Job:
    """A job that is committed and then offered to the relay, as after its own commit."""
    job = await world.submit(**wishes)
    node.relay.offer([Notice(row=job.stamp, job=job, target=Target.QUEUE)])
    return job
