"""What the documentation shows of the client. Both type checkers take it as it stands."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session, scoped_session

import jobmill
from jobmill import Client, Job, JobState, Submission, SyncClient

from tests.typing.shop_jobs import Charge, Push, Thumbnail, charge, make_thumbnail, print_report, send_pushes


async def submits_within(session: AsyncSession, url: str | None = None) -> Job:
    async with jobmill.connect(url) as mill, session.begin():
        return await mill.submit(
            charge, Charge(order=7, card="tok_1", cents=1250), within=session, idempotency_key="order-7"
        )


def writes_sql(mill: SyncClient) -> tuple[str, object]:
    return mill.as_sql(charge, Charge(order=7, card="tok_1", cents=1250))


def submits_within_sync(mill: SyncClient, session: Session) -> Job:
    return mill.submit(charge, Charge(order=7, card="tok_1", cents=1250), within=session)


def takes_any_transaction(
    mill: SyncClient, connection: Connection, scoped: "scoped_session[Session]"
) -> list[Job]:
    order = Thumbnail("a.png")
    return [
        mill.submit(make_thumbnail, order, within=connection),
        mill.submit(make_thumbnail, order, within=scoped),
    ]


async def uses_every_verb(mill: Client, connection: AsyncConnection) -> JobState:
    job = await mill.submit(make_thumbnail, Thumbnail("a.png"), delay=timedelta(seconds=5), tags=["eu"])
    await mill.submit(make_thumbnail, Thumbnail("a.png"), within=connection)
    await mill.submit("thumbnail.make", {"picture": "a.png"}, priority=jobmill.Priority.HIGH)
    await mill.submit(print_report, {"year": 2030})
    await mill.submit(send_pushes, Push("phone", "Hello"))
    await mill.submit_many(
        [
            Submission(make_thumbnail, Thumbnail("a.png")),
            Submission(charge, Charge(7, "tok_1", 1250), options={"unique": "order-7"}),
        ]
    )
    for each in await mill.list(status=[JobState.FAILED], type=charge, limit=10):
        await mill.requeue(each, payload={"order": 7})
    await mill.cancel(str(job.id))
    result: object = (await mill.wait(job, timeout=timedelta(seconds=30))).result
    assert result is None
    return (await mill.get(job.id)).status


def tells_what_is_wrong(mill: SyncClient) -> list[tuple[str, str]]:
    try:
        mill.submit(charge, Charge(7, "tok_1", 1250))
    except jobmill.InvalidPayload as error:
        return list(error.errors)
    except (jobmill.QueueFull, jobmill.Unavailable) as error:
        return [("", f"again in {error.retry_after.total_seconds()} s")]
    return []


async def ties_jobs_together(mill: Client, sync_mill: SyncClient) -> int:
    first = await mill.submit(make_thumbnail, Thumbnail("a.png"))
    await mill.submit(charge, Charge(7, "tok_1", 1250), follows=first)
    parts: list[Submission[Any]] = [
        Submission(make_thumbnail, Thumbnail("b.png")),
        Submission(charge, Charge(8, "tok_1", 1250), options={"follows": 0}),
    ]
    batch = await mill.submit_batch(parts, callback=Submission(print_report, {"year": 2030}))
    again = sync_mill.submit_batch(parts, callback=Submission("report.print", {"year": 2030}))
    return (await mill.batch(batch)).succeeded + sync_mill.batch(again.id).unfinished


async def calls_the_function_itself() -> object:
    return await make_thumbnail.function(Thumbnail("a.png"))
