"""A process that takes jobs in from queues of strangers, in virtual time."""

import asyncio
import json
from typing import Any, Final

from attrs import define

from jobmill.adapters.memory import MemoryIngress
from jobmill.application.ingress import IngressReaders
from jobmill.application.ingress_binding import IngressBinding
from jobmill.application.ingress_taker import IngressTaker
from jobmill.application.setting_aside import SettingAside
from jobmill.domain.job import Job

from tests.nodes import Node
from tests.world import World

QUEUE: Final = "their.queue"
BINDING: Final = IngressBinding(name="theirs", queue=QUEUE, dedup="/payload/id")


@define(eq=False, kw_only=True)
class Door:
    """A process that takes jobs in from one queue of strangers."""

    world: World
    node: Node
    theirs: MemoryIngress
    readers: IngressReaders
    running: "asyncio.Task[None]"

    def arrives(self, body: object, **parts: Any) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.theirs.arrive(QUEUE, raw, **parts)

    def sends(self, number: int | None, **parts: Any) -> None:
        """A message that is right; without a number nothing tells it from others."""
        payload = {} if number is None else {"id": number}
        self.arrives({"type": "work", "payload": payload}, **parts)

    async def settles(self) -> None:
        """Wait until every message is answered."""
        await self.world.until(lambda: not self.theirs.ready(QUEUE) and not self.theirs.broker.held)

    @property
    def jobs(self) -> list[Job]:
        return list(self.world.tables.jobs.values())

    @property
    def reasons(self) -> list[str]:
        return [message.reason for message in self.world.tables.quarantine.values()]

    def told(self, outcome: str) -> int:
        return self.readers.tally["theirs", outcome]


def door_of(world: World, theirs: MemoryIngress, *bindings: IngressBinding, **wishes: Any) -> Door:
    node = world.node(starts=False, **wishes)
    aside = SettingAside(
        quarantine=node.store.quarantine, clock=node.clock, entropy=node.entropy, observer=node.notes
    )
    readers = IngressReaders(
        bindings=bindings or (BINDING,),
        ingress=theirs,
        taker=IngressTaker(submitter=node.submitter, aside=aside),
        observer=node.notes,
    )
    running = asyncio.create_task(readers.run())
    return Door(world=world, node=node, theirs=theirs, readers=readers, running=running)
