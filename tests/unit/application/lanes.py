"""What a test of a consumer looks at: handlers that take a while, and what lies in the lanes."""

import asyncio
from collections.abc import Mapping
from typing import Any

from jobmill.application.codec.parcels import open_parcel
from jobmill.application.handlers import JobContext

from tests.world import World


async def takes_a_while(payload: Mapping[str, Any], _context: JobContext) -> object:
    await asyncio.sleep(payload.get("s", 100))
    return None


def active(world: World) -> int:
    return sum(ran.is_believed for ran in world.runs)


def sizes(world: World) -> list[int]:
    """Jobs in each message that nobody holds."""
    return [len(open_parcel(m.body).jobs) for line in world.broker._lines.values() for m in line.ready]
