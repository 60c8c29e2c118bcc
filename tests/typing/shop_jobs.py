"""The handlers that the documentation shows, with the providers they call."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from attrs import define, frozen
from sqlalchemy import text

from jobmill import BatchJob, JobContext, JobHandlers, PermanentFailure, RetryAfter, RetryPolicy


@frozen
class Thumbnail:
    picture: str
    width: int = 320


@frozen
class Charge:
    order: int
    card: str
    cents: int


@frozen
class CardAnswer:
    status: int
    retry_after_s: int = 0


@define
class Providers:
    """What stands behind the shop; tests put others in."""

    charge_card: Callable[[str, int, str], Awaitable[CardAnswer]]


async def _approved(card: str, cents: int, key: str) -> CardAnswer:
    return CardAnswer(status=200)


providers = Providers(charge_card=_approved)
handlers = JobHandlers()


async def shrink(picture: str, width: int) -> str:
    return f"{picture}-{width}.png"


@handlers.register("thumbnail.make", retry=RetryPolicy(max_attempts=5), timeout=timedelta(seconds=20))
async def make_thumbnail(order: Thumbnail) -> dict[str, str]:
    return {"path": await shrink(order.picture, order.width)}


@handlers.register("order.charge", queue="payments")
async def charge(order: Charge, job: JobContext) -> None:
    answer = await providers.charge_card(order.card, order.cents, job.idempotency_key)
    if answer.status == 402:
        raise PermanentFailure("card declined")
    if answer.status == 429:
        raise RetryAfter(timedelta(seconds=answer.retry_after_s), "provider is busy", counts=False)
    async with job.transaction() as db:  # our row and the outcome: both or neither
        await db.execute(text("update orders set paid = true where id = :id"), {"id": order.order})


@handlers.register("report.print")
def print_report(wish: dict[str, Any]) -> str:
    return str(wish)


@frozen
class Push:
    device: str
    text: str


@frozen
class Receipt:
    id: str | None
    error: str = ""


async def send_many(pushes: Sequence[Push], keys: Sequence[str]) -> Sequence[Receipt]:
    return [Receipt(f"{key}-{push.device}") for push, key in zip(pushes, keys, strict=True)]


@handlers.register_batch("push.send", queue="push", jobs_max=500, wait=timedelta(milliseconds=50))
async def send_pushes(jobs: Sequence[BatchJob[Push]]) -> None:
    receipts = await send_many([job.payload for job in jobs], [job.idempotency_key for job in jobs])
    for job, receipt in zip(jobs, receipts, strict=True):
        if receipt.id is None:
            job.fail(PermanentFailure(receipt.error))
        else:
            job.succeed({"id": receipt.id})
