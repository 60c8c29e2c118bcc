"""Bytes that are no parcel: by chance, and real ones that were damaged."""

import random
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from jobmill.application.codec.parcels import FutureParcel, UnreadableParcel, open_parcel

RANDOM_BYTES_MAX: Final = 2_000
DEEP: Final = 20_000
_FIXED: Final = (
    b"",
    b"{}",
    b"[]",
    b"null",
    b'{"schema":1}',
    b'{"schema":1,"jobs":{}}',
    b'{"schema":"1","jobs":[]}',
    b'{"schema":-1,"jobs":[]}',
    b'{"schema":1,"jobs":[{"id":"x"}]}',
    b'{"schema":1,"jobs":[null,17]}',
    b"\xff\xfe{\x00}\x00",
    b"[" * DEEP,
    b'{"schema":1,"jobs":' + b"[" * DEEP,
)


@frozen(kw_only=True)
class Piece:
    """One message that no job comes out of.

    Args:
        notices: how many entries the quarantine should have for it.
    """

    body: bytes
    notices: int


def garbage(chance: random.Random, samples: Sequence[bytes], *, count: int) -> list[Piece]:
    """Make so many pieces.

    Args:
        samples: real parcels to damage. What could still be read as a job is not used: a broker that turns
            one job into another is no fault that anybody could notice.
    """
    pieces: list[Piece] = []
    while len(pieces) < count:
        body = _body(chance, samples)
        notices = _notices(body)
        if notices:
            pieces.append(Piece(body=body, notices=notices))
    return pieces


def _body(chance: random.Random, samples: Sequence[bytes]) -> bytes:
    match chance.randrange(3):
        case 0:
            return chance.randbytes(chance.randint(1, RANDOM_BYTES_MAX))
        case 1:
            return chance.choice(_FIXED)
        case _:
            return _damaged(chance, chance.choice(samples)) if samples else chance.choice(_FIXED)


def _damaged(chance: random.Random, body: bytes) -> bytes:
    at = chance.randrange(len(body))
    match chance.randrange(4):
        case 0:
            return body[:at]
        case 1:
            return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
        case 2:
            return body[:at] + body[at + chance.randint(1, 40) :]
        case _:
            return body[:at] + chance.randbytes(chance.randint(1, 40)) + body[at:]


def _notices(body: bytes) -> int:
    try:
        opened = open_parcel(body)
    except UnreadableParcel:
        return 1
    except FutureParcel:
        return 0
    return 0 if opened.jobs else len(opened.bad)
