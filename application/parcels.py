"""Packing notices into parcels: few messages, many jobs."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from jobmill.application.codec.parcels import CONTENT_TYPE, encode_notice, join_notices
from jobmill.application.ports.message_bus import Destination, Lane, Parcel, ToDead, ToLadder, ToLane
from jobmill.application.ports.outbox import Notice
from jobmill.domain.job import Job
from jobmill.domain.ladder import rung_for
from jobmill.domain.states import Target

PARCEL_JOBS_MAX: Final = 50
PARCEL_BYTES_MAX: Final = 256 * 1024
#: A header is for people; the whole error stands in the database.
_ERROR_CHARS_MAX: Final = 200


@frozen(kw_only=True)
class PackedParcel:
    """A parcel and the notices in it."""

    parcel: Parcel
    notices: tuple[Notice, ...]


@define(eq=False)
class _Open:
    """A parcel that still takes notices."""

    notices: list[Notice] = field(factory=list)
    encoded: list[bytes] = field(factory=list)
    size: int = 0
    delay: timedelta = timedelta(0)

    def has_room(self, encoded: bytes, jobs_max: int) -> bool:
        return not self.notices or (
            len(self.notices) < jobs_max and self.size + len(encoded) <= PARCEL_BYTES_MAX
        )


def lane_of(job: Job) -> Lane:
    """Return where the job waits for a worker."""
    return Lane(queue=job.queue, priority=job.priority)


def pack(
    notices: Sequence[Notice], *, now: datetime, jobs_max: int = PARCEL_JOBS_MAX
) -> Iterator[PackedParcel]:
    """Pack notices, in order, with those that go the same way.

    A parcel for the ladder holds jobs of one lane and rung and carries the longest of their delays, so that
    none comes early. Dead letters, suspects, and what was announced before travel alone.

    Args:
        now: the store's time; what is left until ``retry_at`` is the delay.
        jobs_max: jobs in one parcel, 1 or more.
    """
    open_parcels: dict[tuple[Lane, int], _Open] = {}
    for notice in notices:
        job = notice.job
        encoded = encode_notice(job)
        delay, rung = _wait(notice, now)
        if notice.target is Target.DEAD or job.travels_alone:
            yield _seal(_Open([notice], [encoded], len(encoded), delay), rung)
            continue
        way = (lane_of(job), rung)
        current = open_parcels.setdefault(way, _Open())
        if not current.has_room(encoded, jobs_max):
            yield _seal(current, rung)
            current = open_parcels[way] = _Open()
        current.notices.append(notice)
        current.encoded.append(encoded)
        current.size += len(encoded)
        current.delay = max(current.delay, delay)
    for (_, rung), last in open_parcels.items():
        yield _seal(last, rung)


def _wait(notice: Notice, now: datetime) -> tuple[timedelta, int]:
    """Return what is left of the delay and its rung; rung 0 goes straight to the lane."""
    retry_at = notice.job.retry_at
    if notice.target is not Target.LADDER or retry_at is None or retry_at <= now:
        return timedelta(0), 0
    return retry_at - now, rung_for(retry_at - now) or 0


def _seal(contents: _Open, rung: int) -> PackedParcel:
    first = contents.notices[0]
    headers: dict[str, str | int] = {"jobs": len(contents.notices), "queue": first.job.queue}
    types = {notice.job.type for notice in contents.notices}
    headers["type"] = types.pop() if len(types) == 1 else f"{len(types)} types"
    if first.target is Target.DEAD:
        headers |= _epitaph(first.job)
    parcel = Parcel(
        destination=_destination(first, rung, contents.delay),
        body=join_notices(contents.encoded),
        content_type=CONTENT_TYPE,
        headers=headers,
    )
    return PackedParcel(parcel=parcel, notices=tuple(contents.notices))


def _destination(notice: Notice, rung: int, delay: timedelta) -> Destination:
    if notice.target is Target.DEAD:
        return ToDead(queue=notice.job.queue)
    lane = lane_of(notice.job)
    return ToLadder(lane=lane, delay=delay) if rung else ToLane(lane=lane)


def _epitaph(job: Job) -> dict[str, str | int]:
    error = job.error or ""
    return {
        "job_id": str(job.id),
        "attempts": job.attempt,
        "reason": job.error_kind.value if job.error_kind else job.state.value,
        "error": "".join(c if c.isprintable() else " " for c in error[:_ERROR_CHARS_MAX]),
    }
