"""Reading what the broker sends, strangers' properties included. Leans on aiormq 7.2 and pamqp 4.

A message may carry properties that the library cannot read: names that are not UTF-8, a time beyond the
calendar, tables nested without end. The broker passes them on unread, and the library would end the whole
connection over them, again at every redelivery. Here such a message arrives without its properties.
"""

import struct
from typing import Final

import pamqp.frame
from aiormq.connection import FrameReceiver
from aiormq.exceptions import AMQPConnectionError, InvalidFrameError
from pamqp.commands import Basic
from pamqp.constants import FRAME_END, FRAME_HEADER
from pamqp.header import ContentHeader

#: Stands among the headers of a message whose own could not be read, with the reason.
UNREADABLE: Final = "x-jobmill-unreadable"

REASON_CHARS_MAX: Final = 200
#: Longer ones are not read at all: the library's time for a list grows with the square of its length.
PROPERTIES_BYTES_MAX: Final = 16 * 1024

_START: Final = struct.Struct(">BHI")
#: Class, weight, length of the body.
_CONTENT: Final = struct.Struct(">HHQ")

Frame = tuple[int, int, pamqp.frame.FrameTypes]


class TolerantReceiver(FrameReceiver):
    """Reads frames; takes over where the library's own receiver got to."""

    async def get_frame(self) -> Frame:
        """Return the next frame.

        Raises:
            AMQPConnectionError: the connection is lost.
            InvalidFrameError: what came is no frame.
        """
        if self.reader.at_eof():
            raise StopAsyncIteration
        try:
            start = await self.reader.readexactly(_START.size)
            _, _, size = _START.unpack(start)
            rest = await self.reader.readexactly(size + 1)
        except (EOFError, OSError) as error:
            raise AMQPConnectionError(f"the connection was lost: {error!r}") from error
        return read_frame(start + rest)


def read_frame(raw: bytes) -> Frame:
    """Return the frame; the header of a message without its properties where these cannot be read.

    Raises:
        InvalidFrameError: it is no frame that could be read in any way.
    """
    kind, _, size = _START.unpack_from(raw)
    is_whole = len(raw) == _START.size + size + 1 and raw[-1] == FRAME_END
    is_head = is_whole and kind == FRAME_HEADER and size >= _CONTENT.size
    if is_head and size > PROPERTIES_BYTES_MAX:
        return _without_properties(raw, reason=f"{size:,} bytes, at most {PROPERTIES_BYTES_MAX:,} are read")
    try:
        return pamqp.frame.unmarshal(raw)
    except Exception as error:  # whatever a decoder says of bytes that nobody vouches for
        if not is_head:
            raise InvalidFrameError(str(error)) from error
        return _without_properties(raw, reason=str(error))


def _without_properties(raw: bytes, *, reason: str) -> Frame:
    _, channel, _ = _START.unpack_from(raw)
    _, weight, body_size = _CONTENT.unpack_from(raw, _START.size)
    properties = Basic.Properties(headers={UNREADABLE: reason[:REASON_CHARS_MAX]})
    return len(raw), channel, ContentHeader(weight, body_size, properties)
