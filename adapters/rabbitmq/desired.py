"""What must stand in the broker, as data: exchanges, queues with their arguments, bindings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import field, frozen

from jobmill.adapters.rabbitmq.names import Names
from jobmill.application.fair_queues import NONE_FAIR, FairQueues
from jobmill.application.ports.message_bus import Lane
from jobmill.domain.ladder import RUNGS_S

#: A crash fuse and no rule: attempts are counted in the database. Brokers from 4.0 on would set 20.
DELIVERY_LIMIT: Final = 100
#: The copies of dead letters are for other tools; the database has the list.
DEAD_LENGTH_MAX: Final = 1_000_000

QUORUM: Final[Mapping[str, str | int]] = {"x-queue-type": "quorum"}


@frozen(kw_only=True)
class Exchange:
    """A durable exchange. ``kind`` is direct, fanout or topic."""

    name: str
    kind: str


@frozen(kw_only=True)
class Queue:
    """A durable queue. Its arguments cannot be changed once it exists."""

    name: str
    arguments: Mapping[str, str | int] = field(factory=dict)


@frozen(kw_only=True)
class Binding:
    """What comes to ``exchange`` with ``key`` goes to ``queue``."""

    exchange: str
    queue: str
    key: str = ""


@frozen(kw_only=True)
class Desired:
    """The whole of it, in an order in which it can be created."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]


def desired_topology(prefix: str, queues: Sequence[str], *, fair: FairQueues = NONE_FAIR) -> Desired:
    """Describe the topology for job queues of these names, under ``prefix``."""
    names = Names(prefix=prefix)
    lanes = [lane for queue in queues for lane in fair.lanes_of(queue)]
    return Desired(
        exchanges=(
            Exchange(name=names.lanes, kind="direct"),
            Exchange(name=names.dead, kind="direct"),
            Exchange(name=names.ingress, kind="direct"),
            Exchange(name=names.events, kind="topic"),
            *(Exchange(name=names.retry(rung_s), kind="fanout") for rung_s in RUNGS_S),
        ),
        queues=(
            *(_lane_queue(names, lane) for lane in lanes),
            *(_dead_queue(names, queue) for queue in queues),
            *(_rung_queue(names, rung_s) for rung_s in RUNGS_S),
            Queue(name=names.ingress, arguments=QUORUM),
            _epoch_queue(names),
        ),
        bindings=tuple(_bindings(names, queues, lanes)),
    )


def _lane_queue(names: Names, lane: Lane) -> Queue:
    return Queue(
        name=names.lane_queue(lane),
        arguments={
            **QUORUM,
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": names.dead,
            # The kept key would be the lane's, which the exchange for dead letters does not know.
            "x-dead-letter-routing-key": lane.queue,
        },
    )


def _dead_queue(names: Names, queue: str) -> Queue:
    return Queue(
        name=names.dead_queue(queue),
        arguments={**QUORUM, "x-max-length": DEAD_LENGTH_MAX, "x-overflow": "drop-head"},
    )


def _rung_queue(names: Names, rung_s: int) -> Queue:
    """Time to live and no consumer; back to the lanes with the key that the message came with."""
    return Queue(
        name=names.retry(rung_s),
        arguments={
            **QUORUM,
            "x-message-ttl": rung_s * 1_000,
            "x-dead-letter-exchange": names.lanes,
            "x-dead-letter-strategy": "at-least-once",
            # Without it the strategy falls back to at most once, and only the broker's log says so.
            "x-overflow": "reject-publish",
        },
    )


def _epoch_queue(names: Names) -> Queue:
    """A classic queue: a look at the marker puts it back, and a quorum queue never forgets having done so.

    In a quorum queue each look would stay in its log for as long as the marker does, and count towards a
    delivery limit. If the one node that holds a classic queue loses its disk, the marker is missing and the
    broker is refilled, which is harmless.
    """
    return Queue(
        name=names.epoch,
        arguments={"x-queue-type": "classic", "x-max-length": 1, "x-overflow": "drop-head"},
    )


def _bindings(names: Names, queues: Sequence[str], lanes: Sequence[Lane]) -> Iterator[Binding]:
    for lane in lanes:
        yield Binding(exchange=names.lanes, queue=names.lane_queue(lane), key=str(lane))
    for queue in queues:
        yield Binding(exchange=names.dead, queue=names.dead_queue(queue), key=queue)
    for rung_s in RUNGS_S:
        yield Binding(exchange=names.retry(rung_s), queue=names.retry(rung_s))
    yield Binding(exchange=names.ingress, queue=names.ingress, key=names.ingress)
    yield Binding(exchange=names.lanes, queue=names.epoch, key=names.epoch_key)
