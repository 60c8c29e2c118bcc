"""A transport that sends what is written within one turn of the loop in one go."""

import asyncio
from typing import Any


class OneWrite(asyncio.Transport):
    """Around a transport: the head of an answer and its body are written apart, and leave together.

    So an answer costs one system call and its client is woken once.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._held: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hold it until the loop's next turn at the latest."""
        if not self._held:
            self._loop.call_soon(self._let_go)
        self._held.append(bytes(data))

    def close(self) -> None:
        """Send what is held, then close."""
        self._let_go()
        self._transport.close()

    def abort(self) -> None:
        """Close at once, with nothing more sent."""
        self._held.clear()
        self._transport.abort()

    def is_closing(self) -> bool:
        """It is closed, or will be."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Receive nothing for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Receive again."""
        self._transport.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol go on."""
        self._transport.set_protocol(protocol)

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as the transport's own
        """Return what the transport knows of itself."""
        return self._transport.get_extra_info(name, default)

    def _let_go(self) -> None:
        held, self._held = self._held, []
        if held and not self._transport.is_closing():  # else the client has gone meanwhile
            self._transport.write(b"".join(held))
