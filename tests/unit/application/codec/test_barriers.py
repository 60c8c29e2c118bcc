"""The wire format of barriers: theirs alone, and what is not one is left to others."""

import json
from typing import Any, Final

import pytest
from attrs import evolve

from jobmill.application.codec.barriers import encode_barrier, open_barrier
from jobmill.application.codec.parcels import UnreadableParcel, encode_notice, join_notices, open_parcel
from jobmill.application.ports.barriers import Barrier
from jobmill.application.ports.message_bus import Lane
from jobmill.domain.states import Priority

from tests.builders import NOW, a_job, an_id

BARRIER: Final = Barrier(
    id=an_id(), lane=Lane(queue="email", priority=Priority.LOW), judges_before=NOW.replace(microsecond=7)
)


def damaged(**parts: Any) -> bytes:
    envelope = json.loads(encode_barrier(BARRIER))
    envelope["barrier"] |= parts
    return json.dumps(envelope, separators=(",", ":")).encode()


def test_a_barrier_arrives_as_it_was_sent() -> None:
    assert open_barrier(encode_barrier(BARRIER)) == BARRIER


@pytest.mark.parametrize("share", [0, 31])
def test_so_does_one_on_its_way_through_shares(share: int) -> None:
    barrier = evolve(BARRIER, shares=32, share=share)

    assert open_barrier(encode_barrier(barrier)) == barrier


def test_one_without_shares_looks_as_it_always_did() -> None:
    sent = json.loads(encode_barrier(BARRIER))["barrier"]

    assert set(sent) == {"id", "queue", "priority", "judges_before"}


def test_a_parcel_is_no_barrier() -> None:
    assert open_barrier(join_notices([encode_notice(a_job())])) is None


def test_a_barrier_is_no_parcel() -> None:
    """So a worker of an earlier release quarantines it."""
    with pytest.raises(UnreadableParcel):
        open_parcel(encode_barrier(BARRIER))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'{"schema":1,"barrier":',
        b'{"schema":1,"barrier":null}',
        b'{"schema":1,"barrier":{}}',
        b'{"schema":2,"barrier":{}}',
        b'{"schema":1,"barrier":' + b"[" * 100_000,
        b'{"schema":1,"barrier":"\xff"}',
        encode_barrier(BARRIER)[:-1],
        damaged(id="1"),
        damaged(priority="urgent"),
        damaged(queue=7),
        damaged(judges_before="2030-01-01T00:00:00"),
        damaged(judges_before="tomorrow"),
        damaged(shares=0),
        damaged(shares=33),
        damaged(share=-1),
        damaged(share=32),
    ],
)
def test_what_is_damaged_is_no_barrier(body: bytes) -> None:
    assert open_barrier(body) is None


def test_what_the_damage_is_done_to_is_a_barrier() -> None:
    assert open_barrier(damaged()) == BARRIER
