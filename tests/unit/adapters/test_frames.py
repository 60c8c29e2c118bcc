"""A message whose properties cannot be read arrives without them; what is no frame ends the connection."""

import struct
from random import Random

import pamqp.frame
import pytest
from aiormq.exceptions import InvalidFrameError
from pamqp.commands import Basic
from pamqp.constants import FRAME_END_CHAR, FRAME_HEADER
from pamqp.header import ContentHeader
from pamqp.heartbeat import Heartbeat

from jobmill.adapters.rabbitmq.frames import PROPERTIES_BYTES_MAX, UNREADABLE, read_frame

from tests.fuzz.raw_amqp import UNREADABLE as UNREADABLE_KINDS
from tests.fuzz.strategies import damage


def head(flags: int, properties: bytes) -> bytes:
    """The head of a message on channel 7, with a body of 5 bytes."""
    content = struct.pack(">HHQH", 60, 0, 5, flags) + properties
    return struct.pack(">BHI", FRAME_HEADER, 7, len(content)) + content + FRAME_END_CHAR


def headers_of(raw: bytes) -> object:
    length, channel, frame = read_frame(raw)
    assert (length, channel) == (len(raw), 7)
    assert isinstance(frame, ContentHeader)
    assert frame.body_size == 5
    return frame.properties.headers


def test_properties_that_can_be_read_are() -> None:
    header = ContentHeader(body_size=5, properties=Basic.Properties(headers={"a": "b"}))

    assert headers_of(pamqp.frame.marshal(header, 7)) == {"a": "b"}


@pytest.mark.parametrize("kind", UNREADABLE_KINDS)
def test_properties_that_cannot_be_read_leave_the_message_and_the_reason(kind: str) -> None:
    headers = headers_of(head(*UNREADABLE_KINDS[kind]))

    assert isinstance(headers, dict)
    assert list(headers) == [UNREADABLE]
    assert headers[UNREADABLE]


def test_properties_that_take_too_long_are_not_read() -> None:
    long = pamqp.frame.marshal(
        ContentHeader(body_size=5, properties=Basic.Properties(headers={"a": "b" * PROPERTIES_BYTES_MAX})), 7
    )

    headers = headers_of(long)

    assert isinstance(headers, dict)
    assert "at most 16,384 are read" in headers[UNREADABLE]


def test_a_heartbeat_is_one() -> None:
    assert isinstance(read_frame(Heartbeat().marshal())[2], Heartbeat)


def test_damaged_frames_are_read_or_refused() -> None:
    originals = [
        head(*UNREADABLE_KINDS["a header name that is not UTF-8"]),
        pamqp.frame.marshal(ContentHeader(body_size=5, properties=Basic.Properties(headers={"a": [1]})), 7),
        pamqp.frame.marshal(Basic.Deliver("tag", 1, False, "exchange", "key"), 7),
    ]
    for seed in range(3_000):
        raw = damage(Random(seed), originals).ljust(8, b"\x00")
        try:
            read_frame(raw)
        except InvalidFrameError:
            continue
