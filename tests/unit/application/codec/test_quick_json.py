"""What is read quickly is exactly what the strict reader reads; all else is left to it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobmill.application.codec import strict_json
from jobmill.application.codec.quick_json import UNDECIDED, read_quickly
from jobmill.application.codec.strict_json import MalformedJson, read_json

#: Few, so that they meet; with all that makes quotes hard to count.
NAMES = st.sampled_from(
    ['"a"', '"b"', r'"\u0061"', r'"\""', r'"\u0022\u0022"', r'"\\"', r'"\\\""', '"é"', '""']
)
NUMBERS = st.sampled_from(["0", "-0", "-0.0", "1.0", "1e3", "1E400", "1e-400", f"{2**64}", f"{-(2**63) - 1}"])
SCALARS = NAMES | NUMBERS | st.integers().map(str) | st.sampled_from(["true", "null", "NaN", "01", '"\t"'])
BLANKS = st.sampled_from(["", " ", "\n"])


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(NAMES, BLANKS, inner).map(lambda pair: f"{pair[0]}:{pair[1]}{pair[2]}")
    return st.lists(pairs, max_size=4).map(lambda each: "{" + ", ".join(each) + "}")


DOCUMENTS: st.SearchStrategy[str] = st.recursive(
    SCALARS,
    lambda inner: objects(inner) | st.lists(inner, max_size=3).map(lambda each: f"[{','.join(each)}]"),
    max_leaves=8,
)


@given(DOCUMENTS)
def test_what_is_read_quickly_is_what_the_strict_reader_reads(document: str) -> None:
    raw = document.encode()
    value = read_quickly(raw)

    if value is not UNDECIDED:
        assert repr(value) == repr(strict_json._read_slowly(raw))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        rb'{"a\"":1,"a\"":2}',
        rb'{"\\":1,"\\":2}',
        rb'{"a":"\"\"","a":""}',
        rb'{"a":"\\","a":"\""}',
        rb'{"a":1,"\u0061":2}',
        rb'{"a":1,"a":"\u0022\u0022"}',
        b"[%d]" % 2**64,
        b"[%d]" % (-(2**63) - 1),
        b"[1e999]",
        b"[NaN]",
        b'{"a":1,}',
        b'"\xff"',
        100_000 * b"[",
    ],
)
def test_what_is_not_plain_is_left_to_the_strict_reader(raw: bytes) -> None:
    assert read_quickly(raw) is UNDECIDED
    with pytest.raises(MalformedJson):
        read_json(raw)


@pytest.mark.parametrize("value", [{"type": "a", "payload": {"é": [1, 2.5, "x\n"]}}, {}, 10**17, 'a "word"'])
@pytest.mark.parametrize("is_ascii", [True, False])
def test_a_plain_document_is_read_quickly(value: object, is_ascii: bool) -> None:
    assert read_quickly(json.dumps(value, ensure_ascii=is_ascii, indent=1).encode()) == value


@given(st.text(max_size=6))
def test_a_document_without_escapes_is_suspicious_exactly_if_the_closer_look_says_so(text: str) -> None:
    raw = text.encode("utf-8", "replace")

    assert strict_json._is_suspicious(raw) == (strict_json._SUSPICIOUS.search(raw) is not None)
