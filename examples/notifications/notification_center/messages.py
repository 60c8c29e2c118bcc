"""Notifications as they are submitted: three channels, three priorities."""

from collections.abc import Iterable, Iterator
from itertools import cycle
from typing import Any

from jobmill import Priority, Submission

#: Of ten notifications two are urgent and two can wait.
MIXED = (Priority.HIGH, *[Priority.NORMAL] * 3, Priority.LOW) * 2


def notifications(tag: str) -> Iterator[Submission[Any]]:
    """Mails, texts and pushes in turns, without end; the tag is how they are found again."""
    for number, (channel, priority) in enumerate(zip(cycle("esp"), cycle(MIXED), strict=False)):
        kind, payload = _message(channel, number)
        yield Submission(kind, payload, options={"priority": priority, "tags": [tag]})


def texts(tag: str, priorities: Iterable[Priority] = MIXED) -> Iterator[Submission[Any]]:
    """Texts only, without end, of these priorities in turns."""
    for number, priority in enumerate(cycle(priorities)):
        kind, payload = _message("s", number)
        yield Submission(kind, payload, options={"priority": priority, "tags": [tag]})


def _message(channel: str, number: int) -> tuple[str, dict[str, str]]:
    if channel == "e":
        return "email", {"to": f"user-{number}@example.com", "subject": "News", "body": "There is news."}
    if channel == "s":
        return "sms", {"to": f"+1555{number % 10_000_000:07}", "message": "There is news."}
    return "push", {"recipient": f"device-{number}", "title": "News", "body": "There is news."}
