"""Lines of a stream: the same however the bytes come, numbered as an editor does, and never long."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobmill.application.lines import LINE_BYTES_MAX, Line, LineCutter


def cut(*chunks: bytes) -> list[Line]:
    cutter = LineCutter()
    lines = [line for chunk in chunks for line in cutter.cut(chunk)]
    return lines + cutter.last()


def pieces(text: bytes, places: Sequence[int]) -> list[bytes]:
    ends = sorted(place % (len(text) + 1) for place in places)
    return [text[begin:end] for begin, end in zip([0, *ends], [*ends, len(text)], strict=True)]


BYTES = st.lists(st.sampled_from([b"a", b" ", b"\r", b"\n", b"\t", b"\xff", b"\xef\xbb\xbf"]), max_size=40)


@given(BYTES, st.lists(st.integers(0, 200), max_size=6))
def test_where_the_chunks_end_makes_no_difference(text: list[bytes], places: list[int]) -> None:
    whole = b"".join(text)

    assert cut(*pieces(whole, places)) == cut(whole)


@given(BYTES)
def test_lines_are_those_of_the_text_without_blanks_and_blank_ones(text: list[bytes]) -> None:
    whole = b"".join(text)
    numbered = enumerate(whole.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1)

    wanted = [(number, raw.strip(b" \t\r")) for number, raw in numbered if raw.strip(b" \t\r")]

    assert cut(whole) == wanted


@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_a_last_line_needs_no_line_break(ending: bytes) -> None:
    assert cut(b"1\n2" + ending) == [(1, b"1"), (2, b"2")]


@pytest.mark.parametrize("chunk_bytes", [LINE_BYTES_MAX * 3, 1_000])
@pytest.mark.parametrize("ending", [b"", b"\nafter"])
def test_a_line_that_is_too_long_comes_cut(chunk_bytes: int, ending: bytes) -> None:
    text = b"x" * (LINE_BYTES_MAX + 5_000) + ending
    chunks = [text[at : at + chunk_bytes] for at in range(0, len(text), chunk_bytes)]

    first, *more = cut(*chunks)

    assert first == (1, b"x" * (LINE_BYTES_MAX + 1))
    assert more == ([(2, b"after")] if ending else [])


def test_the_longest_line_comes_whole() -> None:
    longest = b"x" * LINE_BYTES_MAX

    assert cut(longest + b"\n" + longest) == [(1, longest), (2, longest)]


def test_no_more_is_kept_of_a_line_without_an_end_than_is_shown() -> None:
    cutter = LineCutter()

    for _ in range(10):
        assert cutter.cut(b"x" * LINE_BYTES_MAX) == []
        assert len(cutter._rest) <= LINE_BYTES_MAX + 1
