"""How a parcel travels: exchange, routing key, time on the ladder, properties."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import count
from math import ceil

from pamqp.commands import Basic

from jobmill.adapters.rabbitmq.bounds import BATCH_BYTES_MAX, BATCH_COUNT_MAX, EARLY_MARGIN_MS
from jobmill.adapters.rabbitmq.names import Names
from jobmill.adapters.rabbitmq.wire import Message
from jobmill.application.ports.message_bus import Destination, Parcel, ToDead, ToLadder, ToLane
from jobmill.domain.ladder import REACH, rung_for

PERSISTENT = 2


class Writer:
    """Turns parcels into messages.

    Args:
        names: what the exchanges are called.
        token: begins every message id of this process.
    """

    def __init__(self, names: Names, *, token: str) -> None:
        self._names = names
        self._token = token
        self._numbers = count()

    def message(self, parcel: Parcel) -> Message:
        """Write one; each call makes a new message with a new id, for the same parcel too.

        Raises:
            ValueError: the delay is beyond the ladder.
        """
        exchange, key = self._address(parcel.destination)
        properties = Basic.Properties(
            content_type=parcel.content_type,
            headers=dict(parcel.headers),
            delivery_mode=PERSISTENT,
            expiration=_expiration(parcel.destination),
            # Returned messages are told apart by it, so that two under way must never share one.
            message_id=f"{self._token}-{next(self._numbers)}",
        )
        return Message(exchange=exchange, key=key, properties=properties, body=parcel.body)

    def marker(self, epoch: str) -> Message:
        """Write the marker."""
        properties = Basic.Properties(
            content_type="text/plain",
            delivery_mode=PERSISTENT,
            message_id=f"{self._token}-{next(self._numbers)}",
        )
        return Message(
            exchange=self._names.lanes,
            key=self._names.epoch_key,
            properties=properties,
            body=epoch.encode(),
        )

    def copy(self, queue: str, body: bytes, properties: Basic.Properties) -> Message:
        """Write a message for the dead letters of a queue once more, with what its sender gave it."""
        headers = dict(properties.headers or {})
        headers.pop("x-delivery-count", None)  # the broker's own, which begins anew
        again = Basic.Properties(
            content_type=properties.content_type,
            headers=headers,
            delivery_mode=PERSISTENT,
            message_id=f"{self._token}-{next(self._numbers)}",
        )
        return Message(exchange=self._names.dead, key=queue, properties=again, body=body)

    def _address(self, destination: Destination) -> tuple[str, str]:
        match destination:
            case ToLane(lane=lane):
                return self._names.lanes, str(lane)
            case ToLadder(lane=lane, delay=delay) if delay <= timedelta(0):
                return self._names.lanes, str(lane)
            case ToLadder(lane=lane, delay=delay):
                rung_s = rung_for(delay)
                if rung_s is None:
                    raise ValueError(f"a delay of {delay} is beyond the ladder, which reaches {REACH}")
                # The key is the lane's: the rung keeps it, so it brings the message there afterwards.
                return self._names.retry(rung_s), str(lane)
            case ToDead(queue=queue):
                return self._names.dead, queue


def _expiration(destination: Destination) -> str | None:
    """Return milliseconds as text. The rung's own limit holds as well, and the shorter of both counts."""
    if not isinstance(destination, ToLadder) or destination.delay <= timedelta(0):
        return None
    return str(ceil(destination.delay / timedelta(milliseconds=1)) + EARLY_MARGIN_MS)


def in_batches(messages: Iterable[tuple[int, Message]]) -> Iterator[list[tuple[int, Message]]]:
    """Cut numbered messages into batches that one write may hold, each of one message at least."""
    batch: list[tuple[int, Message]] = []
    size = 0
    for numbered in messages:
        length = len(numbered[1].body)
        if batch and (len(batch) == BATCH_COUNT_MAX or size + length > BATCH_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(numbered)
        size += length
    if batch:
        yield batch
