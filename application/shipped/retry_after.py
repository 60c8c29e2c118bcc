"""The header ``Retry-After`` (RFC 9110): how long a server asks to be left alone."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

#: A server that says "now" has just refused; let it breathe.
WAIT_MIN: Final = timedelta(seconds=1)
#: Beyond this a stranger's clock or a bad joke would hold the job.
WAIT_MAX: Final = timedelta(days=1)
_DIGITS_MAX: Final = 9


def wait_asked_for(header: str | None, *, now: datetime) -> timedelta | None:
    """Return the wait, from a second to a day; None if the header is missing or says nothing.

    Args:
        header: seconds, or a date of HTTP.
        now: with a time zone; a date is counted from here.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        asked = timedelta(seconds=int(text)) if len(text) <= _DIGITS_MAX else WAIT_MAX
        return min(max(asked, WAIT_MIN), WAIT_MAX)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:  # "-0000": in UTC, and nothing known of the place
        date = date.replace(tzinfo=UTC)
    return min(max(date - now, WAIT_MIN), WAIT_MAX)
