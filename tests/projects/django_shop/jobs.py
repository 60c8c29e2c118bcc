"""The jobs of the shop. They do not import Django, so the worker need not either."""

from attrs import frozen
from sqlalchemy import text

from jobmill import JobContext, JobHandlers

handlers = JobHandlers()


@frozen
class Bill:
    order: int


@handlers.register("order.bill")
async def bill(order: Bill, job: JobContext) -> None:
    billed = text("UPDATE django_orders SET is_billed = true WHERE id = :id")
    async with job.transaction() as db:  # our row and the job's success: both or neither
        await db.execute(billed, {"id": order.order})
