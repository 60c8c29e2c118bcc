"""What a stranger may send: bytes and values wrong in many ways, and right ones that were damaged."""

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

T = TypeVar("T")

#: What parsers, databases and logs have stumbled over elsewhere.
EVIL_TEXTS: Final = (
    "",
    "\x00",
    "a\x00b",
    "\x1b[31m",
    "\r\nx-evil: 1",
    "\u2028",
    "\ufeff",
    "\u202eoo",
    "e\u0301" * 40,
    "\U0010ffff",
    "\ud800",
    "'; DROP TABLE jobs; --",
    "%s%n%d",
    "{0.__class__}",
    "$ref",
    "__proto__",
    "../../etc/passwd",
    "NaN",
    "1e400",
    "0x1F",
    "null",
    "x" * 300,
    "x" * 20_000,
    "٣",
)
EVIL_NUMBERS: Final = (
    0,
    -1,
    1,
    2**31,
    -(2**31) - 1,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    10**30,
    -0.0,
    1e-320,
    1e308,
    -1e308,
    0.1,
    1e15 + 0.5,
)
EVIL_BYTES: Final = (
    b"\x00",
    b"\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xef\xbb\xbf",
    b"\\ud800",
    b"\\u0000",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]" * 40,
    b"[" * 2_000,
    b'{"a":' * 500,
    b",",
    b":",
    b"1e999",
    b"-",
    b"9" * 400,
    b"NaN",
    b"Infinity",
    b"nul",
    b"\n",
    b'"schema":2',
    b'"schema":-1',
)


def texts() -> st.SearchStrategy[str]:
    """Texts of every kind, lone surrogates included."""
    return st.sampled_from(EVIL_TEXTS) | st.text(st.characters(), max_size=20)


def json_values() -> st.SearchStrategy[Any]:
    """Whatever JSON can say, and a little more."""
    leaves = st.none() | st.booleans() | st.sampled_from(EVIL_NUMBERS) | st.integers() | st.floats() | texts()
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(), inner, max_size=4),
        max_leaves=10,
    )


def every_damage(
    originals: Sequence[bytes], check: Callable[[bytes], None], *, cases: int, factor: int
) -> int:
    """Check real messages after accidents: bits flipped, parts lost, doubled, put in. Return how many."""
    for seed in range(cases * factor):
        raw = damage(Random(seed), originals)
        try:
            check(raw)
        except BaseException as error:
            error.add_note(f"case {seed}: {raw!r}")
            raise
    return cases * factor


def changed(originals: Sequence[dict[str, Any]]) -> st.SearchStrategy[Any]:
    """Real documents in which one to four values or names were replaced, wherever they stand."""
    swap = st.tuples(st.integers(0, 2**20), json_values(), st.sampled_from(("value", "name", "drop", "add")))
    return st.builds(_swapped, st.sampled_from(originals), st.lists(swap, min_size=1, max_size=4))


def every(strategy: st.SearchStrategy[T], check: Callable[[T], None], *, cases: int, factor: int) -> int:
    """Check that many cases; return how many it were. The same ones every time, unless more are wanted."""
    tried = 0

    @settings(
        max_examples=cases * factor,
        deadline=None,
        database=None,
        derandomize=factor == 1,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def one(case: T) -> None:
        nonlocal tried
        tried += 1
        check(case)

    one()
    return tried


def damage(chance: Random, originals: Sequence[bytes]) -> bytes:
    """Return a real message after one to six accidents."""
    raw = chance.choice(originals)
    for _ in range(chance.randint(1, 6)):
        raw = _accident(chance, raw)
    return raw


def _accident(chance: Random, raw: bytes) -> bytes:
    put = chance.choice(EVIL_BYTES) if chance.random() < 0.5 else chance.randbytes(chance.randint(1, 8))
    at, length = chance.randrange(len(raw) + 1), chance.randint(1, 64)
    match chance.randrange(6):
        case 0 if at < len(raw):
            return raw[:at] + bytes([raw[at] ^ (1 << chance.randrange(8))]) + raw[at + 1 :]
        case 1:
            return raw[:at]
        case 2:
            return raw[:at] + raw[at + length :]
        case 3:
            return raw[: at + length] + raw[at:]
        case 4:
            return raw[:at] + put + raw[at + len(put) :]
        case _:
            return raw[:at] + put + raw[at:]


def _swapped(original: dict[str, Any], swaps: Sequence[tuple[int, object, str]]) -> object:
    document = json.loads(json.dumps(original))
    for at, value, how in swaps:
        places = list(_places(document))
        holder, step = places[at % len(places)]
        if how == "drop":
            del holder[step]
        elif how == "name" and isinstance(holder, dict):
            holder[str(value)[:50]] = holder.pop(step)
        elif how == "add" and isinstance(holder, dict):
            holder[str(value)[:50]] = value
        else:
            holder[step] = value
        if not document:
            return document
    return document


def _places(node: object) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, dict | list):
        for step, item in list(node.items()) if isinstance(node, dict) else list(enumerate(node)):
            yield node, step
            yield from _places(item)
