"""What is written within one turn of the loop leaves together, and nothing of it is lost or late."""

import asyncio

import pytest

from jobmill.entrypoints.http.one_write import OneWrite


class Wire(asyncio.Transport):
    """A transport that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bytes | str] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_closed
        self.told.append(bytes(data))

    def close(self) -> None:
        self.told.append("close")
        self.is_closed = True

    def abort(self) -> None:
        self.told.append("abort")
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def transport(wire: Wire) -> OneWrite:
    return OneWrite(wire)


async def test_head_and_body_leave_together(wire: Wire, transport: OneWrite) -> None:
    transport.write(b"head ")
    transport.write(b"body")
    await asyncio.sleep(0)
    transport.write(b"next head")
    await asyncio.sleep(0)

    assert wire.told == [b"head body", b"next head"]


async def test_a_head_without_a_body_waits_for_the_next_turn_only(wire: Wire, transport: OneWrite) -> None:
    transport.write(b"head")
    assert wire.told == []

    await asyncio.sleep(0)

    assert wire.told == [b"head"]


async def test_what_was_written_before_the_end_is_sent_before_it(wire: Wire, transport: OneWrite) -> None:
    transport.write(b"answer")
    transport.close()
    await asyncio.sleep(0)

    assert wire.told == [b"answer", "close"]


async def test_an_end_at_once_sends_nothing_more(wire: Wire, transport: OneWrite) -> None:
    transport.write(b"answer")
    transport.abort()
    await asyncio.sleep(0)

    assert wire.told == ["abort"]


async def test_a_client_that_has_gone_meanwhile_is_told_nothing(wire: Wire, transport: OneWrite) -> None:
    transport.write(b"answer")
    wire.close()
    await asyncio.sleep(0)

    assert wire.told == ["close"]
