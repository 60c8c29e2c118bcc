"""Publishing properties that no client library would write, and that the broker passes on unread."""

import struct
from typing import cast

import aiormq
import pamqp.frame
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.constants import FRAME_END_CHAR, FRAME_HEADER

BASIC = 60
CONTENT_TYPE, HEADERS, MESSAGE_ID, TIMESTAMP = 0x8000, 0x2000, 0x0080, 0x0040


def short(raw: bytes) -> bytes:
    return bytes([len(raw)]) + raw


def long(raw: bytes) -> bytes:
    return struct.pack(">I", len(raw)) + raw


def table(*fields: tuple[bytes, bytes]) -> bytes:
    """Names with values, each value with the letter of its type in front."""
    return long(b"".join(short(name) + value for name, value in fields))


def nested(depth: int) -> bytes:
    """Tables in tables."""
    inner = table()
    for _ in range(depth):
        inner = table((b"a", b"F" + inner))
    return inner


#: What a property list may hold that readers stumble over: its flags and its bytes.
UNREADABLE: dict[str, tuple[int, bytes]] = {
    "a content type that is not UTF-8": (CONTENT_TYPE, short(b"\xff\xfe")),
    "a message id that is not UTF-8": (MESSAGE_ID, short(b"\xc3\x28")),
    "a header name that is not UTF-8": (HEADERS, table((b"\xff", b"S" + long(b"x")))),
    "a time beyond the calendar": (TIMESTAMP, struct.pack(">Q", 2**63)),
    "tables nested 2,000 deep": (HEADERS, nested(2_000)),
    "a list of 60,000": (HEADERS, table((b"a", b"A" + long(b"t\x01" * 30_000)))),
}
#: What reads well and is odd all the same.
ODD: dict[str, tuple[int, bytes]] = {
    "a header value that is not UTF-8": (HEADERS, table((b"a", b"S" + long(b"\xff")))),
    "headers of every type": (
        HEADERS,
        table(
            (b"t", b"t\x01"),
            (b"I", b"I" + struct.pack(">i", -1)),
            (b"d", b"d" + struct.pack(">d", 0.5)),
            (b"D", b"D\xff\xff\xff\xff\xff"),
            (b"V", b"V"),
            (b"x", b"x" + long(b"\x00\xff")),
            (b"A", b"A" + long(b"t\x00V")),
            (b"F", b"F" + table((b"a", b"V"))),
            (b"", b"S" + long(b"a\x00b")),
        ),
    ),
    "an empty header name twice": (HEADERS, table((b"", b"V"), (b"", b"V"))),
}


async def publish_raw(
    channel: aiormq.abc.AbstractChannel,
    exchange: str,
    key: str,
    body: bytes,
    *,
    flags: int,
    properties: bytes,
) -> None:
    """Publish without asking whether it arrived."""
    number = channel.number
    content = struct.pack(">HHQ", BASIC, 0, len(body)) + struct.pack(">H", flags) + properties
    head = struct.pack(">BHI", FRAME_HEADER, number, len(content)) + content + FRAME_END_CHAR
    publish = pamqp.frame.marshal(Basic.Publish(exchange=exchange, routing_key=key), number)
    payload = publish + head + pamqp.frame.marshal(ContentBody(body), number)
    await cast("Channel", channel).write_queue.put(ChannelFrame(payload=payload, should_close=False))
