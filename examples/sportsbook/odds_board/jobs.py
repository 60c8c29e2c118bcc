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

handlers = JobHandlers()
together = Gathering()


class NoOdds(Exception):
    """There are no odds yet; they may be on their way."""


@handlers.register("event.update", queue=QUEUE, retry=RETRY, ttl=LASTING)
async def event_update(told: Event, job: JobContext) -> None:
    row = Row(kind="event", id=told.event, sequence=told.sequence, name=told.name, status=told.status)
    await put(row, job)


@handlers.register("market.update", queue=QUEUE, retry=RETRY, ttl=LASTING)
async def market_update(told: Market, job: JobContext) -> None:
    row = Row(
        kind="market",
        id=told.market,
        parent=told.event,
        sequence=told.sequence,
        name=told.name,
        status=told.status,
    )
    await put(row, job)


@handlers.register("selection.update", queue=QUEUE, retry=RETRY, ttl=LASTING)
async def selection_update(told: Selection, job: JobContext) -> None:
    row = Row(
        kind="selection",
        id=told.selection,
        parent=told.market,
        sequence=told.sequence,
        name=told.name,
        status=told.status,
    )
    await put(row, job)


@handlers.register("odds.update", queue=QUEUE, retry=RETRY, ttl=MOMENTARY)
async def odds_update(told: Odds, job: JobContext) -> None:
    row = Row(kind="odds", id=told.selection, sequence=told.sequence, price_milli=told.price_milli)
    await put(row, job)


@handlers.register("boost.update", queue=QUEUE, retry=RETRY, ttl=MOMENTARY)
async def boost_update(told: Boost, job: JobContext) -> None:
    """A boost is rare and has to be looked at: it reads, decides and writes in its own transaction."""
    async with job.transaction() as db:
        price_milli = await board.price_of(db, told.selection)
        if price_milli is None:
            raise NoOdds(f"no odds for {told.selection} yet")
        if told.price_milli <= price_milli:
            raise PermanentFailure(f"a boost to {told.price_milli} of odds at {price_milli} is none")
        row = Row(kind="boost", id=told.selection, sequence=told.sequence, price_milli=told.price_milli)
        note(row, row.mark in await board.write(db, [row]), job)


async def put(row: Row, job: JobContext) -> None:
    note(row, await together.write(row, job), job)


def note(row: Row, was_newer: bool, job: JobContext) -> None:
    """An update that was overtaken has been dealt with: it is no failure, and worth a line at most."""
    if not was_newer:
        job.log.info("Dropped: %s %s has a newer sequence than %s", row.kind, row.id, row.sequence)
