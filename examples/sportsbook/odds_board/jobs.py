"""The feed's workers: five types of job, one queue, each with its time to live."""

from datetime import timedelta

from jobmill import JobContext, JobHandlers, PermanentFailure, RetryPolicy

from odds_board import board
from odds_board.board import Row
from odds_board.gathering import Gathering
from odds_board.updates import Boost, Event, Market, Odds, Selection

QUEUE = "feed"
RETRY = RetryPolicy(max_attempts=3, base=timedelta(seconds=0.1))
#: What has waited for longer is no news: it is not run, and lies with the dead letters as expired.
LASTING = timedelta(minutes=10)
MOMENTARY = timedelta(minutes=1)
STALE = {"applied": False}
APPLIED = {"applied": True}

handlers = JobHandlers()
together = Gathering()


class NoOdds(Exception):
    """There are no odds yet; they may be on their way."""


@handlers.register("event.update", queue=QUEUE, retry=RETRY, ttl=LASTING)
async def event_update(told: Event, job: JobContext) -> dict[str, bool]:
    row = Row(kind="event", id=told.event, sequence=told.sequence, name=told.name, status=told.status)
    return await put(row, job)


@handlers.register("market.update", queue=QUEUE, retry=RETRY, ttl=LASTING)
async def market_update(told: Market, job: JobContext) -> dict[str, bool]:
    row = Row(
        kind="market",
        id=told.market,
        parent=told.event,
        sequence=told.sequence,
        name=told.name,
        status=told.status,
    )
    return await put(row, job)


@handlers.register("selection.update", queue=QUEUE, retry=RETRY, ttl=LASTING)
async def selection_update(told: Selection, job: JobContext) -> dict[str, bool]:
    row = Row(
        kind="selection",
        id=told.selection,
        parent=told.market,
        sequence=told.sequence,
        name=told.name,
        status=told.status,
    )
    return await put(row, job)


@handlers.register("odds.update", queue=QUEUE, retry=RETRY, ttl=MOMENTARY)
async def odds_update(told: Odds, job: JobContext) -> dict[str, bool]:
    row = Row(kind="odds", id=told.selection, sequence=told.sequence, price_milli=told.price_milli)
    return await put(row, job)


@handlers.register("boost.update", queue=QUEUE, retry=RETRY, ttl=MOMENTARY)
async def boost_update(told: Boost, job: JobContext) -> dict[str, bool]:
    """A boost is rare and has to be looked at: it reads, decides and writes in its own transaction."""
    async with job.transaction() as db:
        price_milli = await board.price_of(db, told.selection)
        if price_milli is None:
            raise NoOdds(f"no odds for {told.selection} yet")
        if told.price_milli <= price_milli:
            raise PermanentFailure(f"a boost to {told.price_milli} of odds at {price_milli} is none")
        row = Row(kind="boost", id=told.selection, sequence=told.sequence, price_milli=told.price_milli)
        return said(row.mark in await board.write(db, [row]))


async def put(row: Row, job: JobContext) -> dict[str, bool]:
    return said(await together.write(row, job))


def said(was_newer: bool) -> dict[str, bool]:
    """The job's result: an update that is overtaken has been dealt with, and is no failure."""
    return APPLIED if was_newer else STALE
