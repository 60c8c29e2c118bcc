"""The owner of exchanges and queues: plan, apply, verify."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from aiormq import Connection

from jobmill.adapters.rabbitmq.addresses import parse_addresses
from jobmill.adapters.rabbitmq.bounds import DEFAULT_BOUNDS, Bounds
from jobmill.adapters.rabbitmq.deadlines import bounded
from jobmill.adapters.rabbitmq.desired import Desired, Exchange, Queue, desired_topology
from jobmill.adapters.rabbitmq.dialing import dial, hang_up
from jobmill.adapters.rabbitmq.questions import Questions, asking
from jobmill.application.errors import BrokerUnavailable, SetupFault
from jobmill.application.fair_queues import NONE_FAIR, FairQueues
from jobmill.application.ports.topology import PlanItem, PlanVerb, Topology

Answer = TypeVar("Answer")

#: For the whole of a plan or an apply; a cluster takes its time to create a quorum queue.
WORK_WITHIN_S: Final = 120.0
#: An error names this many missing things, and then only how many more.
NAMED_MAX: Final = 5

MEND: Final = "empty it, delete it and apply again, or choose another prefix"


class RabbitTopology(Topology):
    """Works on a connection of its own, since it needs an owner's rights; the addresses are tried in turn.

    Bindings cannot be looked at by a client, so ``plan`` does not speak of them and ``apply`` makes all of
    them every time, which changes nothing where they stand.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        prefix: str,
        queues: Sequence[str],
        fair: FairQueues = NONE_FAIR,
        bounds: Bounds = DEFAULT_BOUNDS,
    ) -> None:
        self._addresses: Final = parse_addresses(urls)
        self._desired: Final = desired_topology(prefix, queues, fair=fair)
        self._bounds: Final = bounds

    async def plan(self) -> Sequence[PlanItem]:
        return await self._work(self._plan)

    async def apply(self) -> Sequence[PlanItem]:
        return await self._work(self._apply)

    async def missing(self) -> Sequence[str]:
        return await self._work(lambda connection: _missing(connection, self._desired))

    async def verify(self) -> None:
        fault = await self._work(lambda connection: missing(connection, self._desired))
        if fault is not None:
            raise fault

    async def _work(self, work: Callable[[Connection], Coroutine[Any, Any, Answer]]) -> Answer:
        connection = await self._connect()
        try:
            return await bounded(
                work(connection), within_s=WORK_WITHIN_S, what="answer questions about its queues"
            )
        finally:
            await hang_up(connection, within_s=self._bounds.close_s)

    async def _connect(self) -> Connection:
        reasons: list[str] = []
        for address in self._addresses:
            try:
                return await dial(address, role="topology", bounds=self._bounds)
            except BrokerUnavailable as error:
                reasons.append(f"{address}: {error}")
        raise BrokerUnavailable("; ".join(reasons))

    async def _plan(self, connection: Connection) -> Sequence[PlanItem]:
        async with asking(connection) as questions:
            exchanges = [await _exchange_item(questions, each) for each in self._desired.exchanges]
            queues = [await _queue_item(questions, each) for each in self._desired.queues]
        return [*exchanges, *queues]

    async def _apply(self, connection: Connection) -> Sequence[PlanItem]:
        plan = await self._plan(connection)
        clashes = [item.detail for item in plan if item.verb is PlanVerb.CLASH]
        if clashes:
            raise SetupFault("; ".join(clashes))
        to_create = {(item.kind, item.name) for item in plan if item.verb is PlanVerb.CREATE}
        async with asking(connection) as questions:
            await _create(questions, self._desired, to_create)
            channel = await questions.channel()
            for binding in self._desired.bindings:
                await channel.queue_bind(binding.queue, binding.exchange, binding.key)
        return plan


async def missing(connection: Connection, desired: Desired) -> SetupFault | None:
    """Return what is wrong if something is missing in the broker, None if all is there."""
    names = await _missing(connection, desired)
    if not names:
        return None
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    listed = ", ".join(names[:NAMED_MAX])
    return SetupFault(f"RabbitMQ lacks {listed}{more}; create what is missing with: jobmill topology apply")


async def _missing(connection: Connection, desired: Desired) -> list[str]:
    async with asking(connection) as questions:
        names = [each.name for each in desired.exchanges if not await questions.has_exchange(each.name)]
        return names + [each.name for each in desired.queues if await questions.ready(each.name) is None]


async def _exchange_item(questions: Questions, exchange: Exchange) -> PlanItem:
    if not await questions.has_exchange(exchange.name):
        return PlanItem(kind="exchange", name=exchange.name, verb=PlanVerb.CREATE)
    return _compared(
        "exchange", exchange.name, await questions.declare_exchange(exchange.name, exchange.kind)
    )


async def _queue_item(questions: Questions, queue: Queue) -> PlanItem:
    """Look first; only what exists is declared again, which compares its arguments and changes nothing."""
    if await questions.ready(queue.name) is None:
        return PlanItem(kind="queue", name=queue.name, verb=PlanVerb.CREATE)
    return _compared("queue", queue.name, await questions.declare_queue(queue.name, queue.arguments))


def _compared(kind: str, name: str, clash: str | None) -> PlanItem:
    if clash is None:
        return PlanItem(kind=kind, name=name, verb=PlanVerb.KEEP)
    # The broker's words name the argument and both its values.
    return PlanItem(
        kind=kind, name=name, verb=PlanVerb.CLASH, detail=f"{kind} {name} clashes: {clash}; mend: {MEND}"
    )


async def _create(questions: Questions, desired: Desired, wanted: set[tuple[str, str]]) -> None:
    for exchange in desired.exchanges:
        if ("exchange", exchange.name) in wanted:
            _expect_none(await questions.declare_exchange(exchange.name, exchange.kind))
    for queue in desired.queues:
        if ("queue", queue.name) in wanted:
            _expect_none(await questions.declare_queue(queue.name, queue.arguments))


def _expect_none(clash: str | None) -> None:
    """Somebody else may have created it differently since the plan was made."""
    if clash is not None:
        raise SetupFault(f"{clash}; mend: {MEND}")
