"""The jobs of the shop."""

from attrs import frozen
from sqlalchemy import update

from jobmill import JobContext, JobHandlers

from tests.projects.fastapi_shop.tables import Order

handlers = JobHandlers()


@frozen
class Confirmation:
    order: int
    email: str


@handlers.register("order.confirm")
async def confirm(order: Confirmation, job: JobContext) -> None:
    # ... send the mail here, with job.idempotency_key as its message id ...
    async with job.transaction() as db:  # our row and the job's success: both or neither
        await db.execute(update(Order).where(Order.id == order.order).values(is_confirmed=True))
