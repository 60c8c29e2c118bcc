"""Durations as people write and read them."""

from datetime import timedelta

import pytest

from jobmill.entrypoints.cli.durations import ago, read_seconds, written


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("2h", 7_200),
        ("1h30m", 5_400),
        ("1.5h", 5_400),
        ("2d", 172_800),
        ("250ms", 0.25),
        ("0", 0),
    ],
)
def test_a_duration_is_a_number_with_a_unit_or_several_of_them(text: str, seconds: float) -> None:
    assert read_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5x", "s", "-5s", "5 m", "1e3", "٣s", "nan", "9" * 400, "5m3", ".5s"])
def test_anything_else_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="no duration; write it like 90s, 5m, 2h"):
        read_seconds(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.00 s"),
        (0.05, "0.05 s"),
        (2.14, "2.1 s"),
        (12.4, "12 s"),
        (119, "119 s"),
        (600, "10 min"),
        (10_800, "3 h"),
        (864_000, "10 d"),
    ],
)
def test_a_duration_is_shown_as_exactly_as_it_matters(seconds: float, text: str) -> None:
    assert written(timedelta(seconds=seconds)) == text


def test_what_was_less_than_a_second_ago_is_now() -> None:
    assert ago(timedelta(seconds=0.9)) == "now"
    assert ago(timedelta(seconds=5)) == "5.0 s ago"
