"""Workers that send texts through a provider that can be down, and share its breaker."""

import asyncio
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from jobmill.adapters.memory import LoopClock
from jobmill.application.handlers import JobHandlers, Registry
from jobmill.application.local_buckets import LocalTokenBuckets
from jobmill.application.ports.providers import Carrier, ProviderUnavailable, TextMessage
from jobmill.application.provider_guard import Protection
from jobmill.application.provider_limits import OnOpen, ProviderLimits
from jobmill.application.shipped.provider_chain import Choice, OnDoubt, ProviderChain
from jobmill.application.shipped.texts import sms_handlers
from jobmill.domain.job import Job
from jobmill.domain.states import Fact, JobState

from tests.nodes import Node
from tests.world import World

CALL_S = 0.2
DOWN = ProviderUnavailable("no connection")


@define(eq=False)
class Network(Carrier[TextMessage]):
    """A provider that takes nothing while there is trouble, and remembers its calls."""

    trouble: ProviderUnavailable | None = None
    called_at_s: list[float] = field(factory=list)
    taken_at_s: dict[str, float] = field(factory=dict)
    calling: int = 0
    calling_most: int = 0

    async def send(self, message: TextMessage, /) -> Mapping[str, str]:
        loop = asyncio.get_running_loop()
        self.called_at_s.append(loop.time())
        self.calling += 1
        self.calling_most = max(self.calling_most, self.calling)
        await asyncio.sleep(CALL_S)
        self.calling -= 1
        if self.trouble is not None:
            raise self.trouble
        self.taken_at_s[message.key] = loop.time()
        return {"id": "7"}


@define(eq=False, kw_only=True)
class Outage:
    """Some workers; texts go to the networks in their order, and other jobs beside them."""

    world: World
    networks: dict[str, Network]
    on_open: dict[str, OnOpen] = field(factory=dict)
    on_doubt: OnDoubt = OnDoubt.RETRY
    others_at_s: dict[str, float] = field(factory=dict)  # when jobs of another type ran, by their number
    statements: list[str] = field(factory=list)
    nodes: list[Node] = field(factory=list)
    running: list[asyncio.Task[None]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        """Let a client take the types in."""
        self.world.registry, _ = self._types()
        for queue in self.world.registry.queues:
            if queue not in self.world.broker.dead:
                self.world.broker.add_queue(queue)
        self.world.client = self.world.node(concurrency=None)

    def starts(self, *, concurrency: int = 10, **wishes: Any) -> Node:
        """One more worker."""
        registry, guard = self._types()
        node = self.world.node(registry=registry, concurrency=concurrency, starts=False, **wishes)
        node.cable.trouble = self.statements.append
        guard.share(node.store.providers, clock=self.world.clock, observer=node.notes)
        self.running.append(node.task(guard.run()))
        node.start()
        self.nodes.append(node)
        return node

    async def texts(self, count: int, **wishes: Any) -> list[Job]:
        """Accept texts, each by itself."""
        payload = {"recipient": "+15550100123", "body": "hello"}
        return [await self.world.submit(type="sms", payload=payload, **wishes) for _ in range(count)]

    async def opens(self, count: int = 20) -> list[Job]:
        """The networks go down, and texts find out."""
        for network in self.networks.values():
            network.trouble = DOWN
        found = await self.texts(count)
        await self.world.passes(10)
        assert all(row.state is JobState.RETRYING or row.attempt == 0 for row in self.rows(found))
        return found

    def recovers(self) -> float:
        """All networks are back; says when."""
        for network in self.networks.values():
            network.trouble = None
        return asyncio.get_running_loop().time()

    def rows(self, jobs: list[Job]) -> list[Job]:
        return [self.world.job(job) for job in jobs]

    @property
    def claims(self) -> int:
        """How many jobs the workers have claimed."""
        return sum(node.notes.facts.count(Fact.STARTED) for node in self.nodes)

    def count(self, statement: str) -> int:
        """How often the workers sent such a statement."""
        return sum(statement in each for each in self.statements)

    def _types(self) -> tuple[Registry, Protection]:
        guard = Protection(
            clock=LoopClock(),
            entropy=self.world.entropy,
            observer=self.world.client.notes,
            buckets=LocalTokenBuckets(),
        )
        choices = []
        for name, network in self.networks.items():
            on_open = self.on_open.get(name, OnOpen.WAIT)
            guard.declare(name, ProviderLimits(on_open=on_open))
            choices.append(Choice(name=name, carrier=network, on_open=on_open, on_doubt=self.on_doubt))
        handlers = JobHandlers()

        @handlers.register("other")
        async def other(payload: dict[str, Any]) -> None:
            self.others_at_s[payload["number"]] = asyncio.get_running_loop().time()
            await asyncio.sleep(payload.get("s", 0))

        chain = ProviderChain(choices=tuple(choices), guard=guard)
        return Registry([sms_handlers(chain), handlers]), guard
