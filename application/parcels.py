"""Packing notices into parcels: few messages, many jobs."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from jobmill.application.codec import barriers as barrier_codec
from jobmill.application.codec.parcels import CONTENT_TYPE, encode_notice, join_notices
from jobmill.application.fair_queues import NONE_FAIR, FairQueues, share_of
from jobmill.application.ports.barriers import Barrier
from jobmill.application.ports.message_bus import Destination, Lane, Parcel, ToDead, ToLadder, ToLane
from jobmill.application.ports.outbox import Notice
from jobmill.domain.job import Job
from jobmill.domain.ladder import rung_for
from jobmill.domain.states import Target

PARCEL_JOBS_MAX: Final = 50
PARCEL_BYTES_MAX: Final = 256 * 1024
#: A header is for people; the whole error stands in the database.
_ERROR_CHARS_MAX: Final = 200
#: No delay, and no rung.
_AT_ONCE: Final = (timedelta(0), 0)


@frozen(kw_only=True)
class PackedParcel:
    """A parcel and the notices in it."""

    parcel: Parcel
    notices: tuple[Notice, ...]


@define(eq=False, kw_only=True)
class _Open:
    """A parcel that still takes notices."""

    lane: Lane
    rung: int
    shares: int = 1  # of the lane
    notices: list[Notice] = field(factory=list)
    encoded: list[bytes] = field(factory=list)
    size: int = 0
    delay: timedelta = timedelta(0)

    def emptied(self) -> "_Open":
        """Return one that goes the same way."""
        return _Open(lane=self.lane, rung=self.rung, shares=self.shares)

    def leads_to(self, job: Job, rung: int) -> bool:
        lane = self.lane
        return (
            rung == self.rung
            and job.priority is lane.priority
            and job.queue == lane.queue
            and (self.shares == 1 or share_of(job.tenant, self.shares) == lane.share)
        )

    def has_room(self, encoded: bytes, jobs_max: int) -> bool:
        return not self.notices or (
            len(self.notices) < jobs_max and self.size + len(encoded) <= PARCEL_BYTES_MAX
        )


def pack(
    notices: Sequence[Notice],
    *,
    now: datetime,
    jobs_max: int = PARCEL_JOBS_MAX,
    fair: FairQueues = NONE_FAIR,
) -> Iterator[PackedParcel]:
    """Pack notices, in order, with those that go the same way.

    A parcel for the ladder holds jobs of one lane and rung and carries the longest of their delays, so that
    none comes early. Dead letters, suspects, and what was announced before travel alone.

    Args:
        now: the store's time; what is left until ``retry_at`` is the delay.
        jobs_max: jobs in one parcel, 1 or more.
        fair: the queues whose lanes have shares, which no parcel mixes.
    """
    open_parcels: dict[tuple[Lane, int], _Open] = {}
    current: _Open | None = None
    for notice in notices:
        job = notice.job
        encoded = encode_notice(job)
        delay, rung = _wait(notice, now) if notice.target is Target.LADDER else _AT_ONCE
        if notice.target is Target.DEAD or job.travels_alone:
            alone = _Open(lane=fair.lane_of(job), rung=rung, notices=[notice], encoded=[encoded], delay=delay)
            yield _seal(alone)
            continue
        if current is None or not current.leads_to(job, rung):  # most go the way of the one before
            lane, shares = fair.lane_of(job), fair.shares_of(job.queue)
            current = open_parcels.setdefault((lane, rung), _Open(lane=lane, rung=rung, shares=shares))
        if not current.has_room(encoded, jobs_max):
            yield _seal(current)
            current = open_parcels[current.lane, rung] = current.emptied()
        current.notices.append(notice)
        current.encoded.append(encoded)
        current.size += len(encoded)
        current.delay = max(current.delay, delay)
    for last in open_parcels.values():
        yield _seal(last)


def pack_barrier(barrier: Barrier) -> Parcel:
    """Return the message by which a barrier goes into the lane where it is."""
    return Parcel(
        destination=ToLane(lane=barrier.place),
        body=barrier_codec.encode_barrier(barrier),
        content_type=barrier_codec.CONTENT_TYPE,
        headers={"barrier": str(barrier.id), "queue": barrier.lane.queue},
    )


def _wait(notice: Notice, now: datetime) -> tuple[timedelta, int]:
    """Return what is left of the delay and its rung; rung 0 goes straight to the lane."""
    retry_at = notice.job.retry_at
    if retry_at is None or retry_at <= now:
        return _AT_ONCE
    return retry_at - now, rung_for(retry_at - now) or 0


def _seal(contents: _Open) -> PackedParcel:
    first = contents.notices[0]
    headers: dict[str, str | int] = {"jobs": len(contents.notices), "queue": first.job.queue}
    types = {notice.job.type for notice in contents.notices}
    headers["type"] = types.pop() if len(types) == 1 else f"{len(types)} types"
    if first.target is Target.DEAD:
        headers |= _epitaph(first.job)
    parcel = Parcel(
        destination=_destination(first, contents),
        body=join_notices(contents.encoded),
        content_type=CONTENT_TYPE,
        headers=headers,
    )
    return PackedParcel(parcel=parcel, notices=tuple(contents.notices))


def _destination(notice: Notice, contents: _Open) -> Destination:
    if notice.target is Target.DEAD:
        return ToDead(queue=notice.job.queue)
    lane = contents.lane
    return ToLadder(lane=lane, delay=contents.delay) if contents.rung else ToLane(lane=lane)


def _epitaph(job: Job) -> dict[str, str | int]:
    error = job.error or ""
    return {
        "job_id": str(job.id),
        "attempts": job.attempt,
        "reason": job.error_kind.value if job.error_kind else job.state.value,
        "error": "".join(c if c.isprintable() else " " for c in error[:_ERROR_CHARS_MAX]),
    }
