"""JSON as strangers send it: what keeps to the limits comes out as it went in, the rest is refused."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobmill.application.codec.strict_json import (
    DEPTH_MAX,
    FAULTS_MAX,
    MalformedJson,
    canonical_json,
    pointer_token,
    read_json,
    write_json,
)

#: Texts of any characters but those that may not stand.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"), max_size=12)
INTEGERS = st.integers(-(2**63), 2**64 - 1)
NUMBERS = INTEGERS | st.floats(allow_nan=False, allow_infinity=False)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def places_of(raw: bytes) -> list[str]:
    with pytest.raises(MalformedJson) as refused:
        read_json(raw)
    return [fault.pointer for fault in refused.value.faults]


def nested(levels: int) -> bytes:
    return levels * b"[" + levels * b"]"


@given(VALUES)
def test_whatever_is_written_is_read_again(value: object) -> None:
    text = write_json(value)

    assert read_json(text.encode()) == value
    assert write_json(read_json(text.encode())) == text


@given(VALUES, st.booleans())
def test_whatever_others_write_is_read(value: object, plain: bool) -> None:
    assert read_json(json.dumps(value, ensure_ascii=plain, indent=1).encode()) == value
    assert read_json(msgspec.json.encode(value)) == value


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    try:
        read_json(raw)
    except MalformedJson:
        pass


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"nul", b"[1,]", b"{'a':1}", b"1 2", b"\xef\xbb\xbf{}", b"// x\n1"]
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    assert places_of(raw) == [""]


def test_the_place_of_a_slip_is_named() -> None:
    with pytest.raises(MalformedJson, match="line 2, column 5"):
        read_json(b'{\n"a":,\n}')


def test_only_utf_8_is_read() -> None:
    with pytest.raises(MalformedJson, match="not UTF-8 at byte 1"):
        read_json(b'"\xff"')


@pytest.mark.parametrize("raw", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"[1e999]"])
def test_every_number_is_finite(raw: bytes) -> None:
    assert places_of(raw) == [""]


@pytest.mark.parametrize("raw", [b"%d" % (2**64), b"%d" % (-(2**63) - 1), 5_000 * b"1"])
def test_integers_have_at_most_64_bits(raw: bytes) -> None:
    assert places_of(raw) == [""]


def test_a_name_stands_in_an_object_once() -> None:
    with pytest.raises(MalformedJson, match="'b' twice"):
        read_json(b'{"a":1,"b":2,"b":3}')


@pytest.mark.parametrize(
    "escape",
    [
        "\\u0000",
        "\\u0007",
        "\\b",
        "\\f",
        "\\u001F",
        "\\u007f",
        "\\u0080",
        "\\u009F",
        "\\ud800",
        "\\uDFFF",
        "\\udc00\\ud800",
    ],
)
def test_control_characters_and_halves_of_pairs_are_refused_where_they_stand(escape: str) -> None:
    assert places_of(b'{"a":["x","%s"]}' % escape.encode()) == ["/a/1"]


@pytest.mark.parametrize("character", ["\x7f", "\x80", "\x9f"])
def test_raw_control_characters_are_refused(character: str) -> None:
    assert places_of(json.dumps({"a": character}, ensure_ascii=False).encode()) == ["/a"]


@pytest.mark.parametrize("text", ["\t", "\n", "\r", "é", "€", "😀", "\\u0000 as text", "\xa0", "…"])
def test_other_characters_may_stand(text: str) -> None:
    assert read_json(json.dumps([text]).encode()) == [text]
    assert read_json(json.dumps([text], ensure_ascii=False).encode()) == [text]


def test_a_name_is_a_text_as_well() -> None:
    assert len(places_of(b'{"a\\u0000":1}')) == 1


def test_all_faults_are_told_up_to_a_bound() -> None:
    assert places_of(b'["\\u0000",1,{"a/b~c":"\\u0001"}]') == ["/0", "/2/a~1b~0c"]
    assert len(places_of(b"[" + b",".join(5_000 * [b'"\\u0000"']) + b"]")) == FAULTS_MAX


def test_nesting_is_bounded() -> None:
    read_json(nested(DEPTH_MAX))

    assert places_of(nested(DEPTH_MAX + 1)) == [DEPTH_MAX * "/0"]
    assert places_of(b'{"a":' + nested(DEPTH_MAX) + b"}") == ["/a" + (DEPTH_MAX - 1) * "/0"]
    assert places_of(nested(100_000)) == [""]


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_equal_documents_have_one_canonical_text(value: dict[str, object]) -> None:
    turned = dict(reversed(list(value.items())))

    assert canonical_json(value) == canonical_json(turned)
    assert read_json(canonical_json(value)) == value


def test_a_step_of_a_pointer_is_escaped() -> None:
    assert pointer_token("a/b~c") == "/a~1b~0c"
    assert pointer_token(3) == "/3"
