"""The header ``Retry-After``: seconds or a date, never too soon, never for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from jobmill.application.shipped.retry_after import wait_asked_for

NOW = datetime(2030, 1, 31, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 1),
        ("86401", 86_400),
        ("9" * 5_000, 86_400),
        ("Thu, 31 Jan 2030 08:01:30 GMT", 90),
        ("Thu, 31 Jan 2030 08:01:30 -0000", 90),
        ("Thu, 31 Jan 2030 09:01:30 +0100", 90),
        ("Thu, 31 Jan 2030 07:00:00 GMT", 1),
        ("Fri, 31 Jan 2031 08:00:00 GMT", 86_400),
    ],
)
def test_a_wait_is_between_a_second_and_a_day(header: str, seconds: int) -> None:
    assert wait_asked_for(header, now=NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "1.5", "٣", "Thu, 99 Jan 2030 08:00:00 GMT"])
def test_what_says_nothing_asks_for_nothing(header: str | None) -> None:
    assert wait_asked_for(header, now=NOW) is None
