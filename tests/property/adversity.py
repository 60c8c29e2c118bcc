"""What the adversary has at hand: jobs that behave badly, and lines that lie."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from hypothesis import strategies as st

from jobmill.application.errors import StorageUnavailable, StorageUnknown
from jobmill.application.handlers import JobContext, PermanentFailure, RetryAfter
from jobmill.application.ports.message_bus import Parcel, PublishOutcome

BusTrouble = tuple[str, PublishOutcome] | None
#: What may become of a statement; 0 lets it pass.
TROUBLES: Final = st.lists(st.sampled_from([0, 0, 1, 2, 3]), max_size=12)
BUS_TROUBLES: Final = st.lists(
    st.sampled_from(
        [
            None,
            ("before", PublishOutcome.UNKNOWN),
            ("after", PublishOutcome.UNKNOWN),
            ("before", PublishOutcome.REFUSED),
        ]
    ),
    max_size=6,
)
PAYLOADS: Final = st.fixed_dictionaries(
    {},
    optional={
        "s": st.sampled_from([0.0, 0.3, 4.0, 20.0]),
        "fails": st.integers(0, 4),
        "ends": st.sampled_from(["permanent", "later", "deaf"]),
    },
)


async def work(payload: Mapping[str, Any], context: JobContext) -> object:
    """Do what the payload says, and sometimes badly."""
    try:
        await asyncio.sleep(payload.get("s", 0.0))
    except asyncio.CancelledError:
        if payload.get("ends") != "deaf":
            raise
        await asyncio.sleep(2)
    if context.attempt <= payload.get("fails", 0):
        if payload.get("ends") == "permanent":
            raise PermanentFailure("never")
        if payload.get("ends") == "later":
            raise RetryAfter(timedelta(seconds=3), "not now")
        raise ConnectionError("not this time")
    return {"attempt": context.attempt}


def store_trouble(codes: Sequence[int]) -> Callable[[str], None]:
    """1: surely not done; 2: not done, and nobody knows; 3: done, and nobody knows."""
    left = deque(codes)

    def trouble(moment: str) -> None:
        at = moment.split(" ", maxsplit=1)[0]
        if at == "before" and left and left[0] != 3:
            code = left.popleft()
            if code:
                raise StorageUnavailable("no") if code == 1 else StorageUnknown("cut off before")
        elif at == "after" and left and left[0] == 3:
            left.popleft()
            raise StorageUnknown("cut off after")

    return trouble


def bus_trouble(outcomes: Sequence[BusTrouble]) -> Callable[[str, Parcel], PublishOutcome | None]:
    """Let the next parcels be answered so, before or after the broker took them; None answers truly."""
    left = deque(outcomes)

    def trouble(moment: str, _parcel: Parcel) -> PublishOutcome | None:
        if left and (left[0] is None or left[0][0] == moment):
            verdict = left.popleft()
            return verdict[1] if verdict else None
        return None

    return trouble


def _up(_moment: str) -> None:
    """Let every statement pass."""


def _cut(moment: str) -> None:
    if moment.startswith("before"):
        raise StorageUnavailable("no")


def _lost_on_the_way(moment: str) -> None:
    if moment.startswith("before"):
        raise StorageUnknown("cut off before")


def _answers_lost(moment: str) -> None:
    if moment.startswith("after"):
        raise StorageUnknown("cut off after")


#: How a process's line to the store may be, until it is mended.
LINES: Final[Mapping[str, Callable[[str], None]]] = {
    "up": _up,
    "cut": _cut,
    "lost on the way": _lost_on_the_way,
    "answers lost": _answers_lost,
}
