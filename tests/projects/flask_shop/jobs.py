"""The jobs of the shop."""

from attrs import frozen
from sqlalchemy import update

from jobmill import JobContext, JobHandlers

from tests.projects.flask_shop.tables import Order

handlers = JobHandlers()


@frozen
class Parcel:
    order: int


@handlers.register("order.pack")
async def pack(parcel: Parcel, job: JobContext) -> None:
    async with job.transaction() as db:  # our row and the job's success: both or neither
        await db.execute(update(Order).where(Order.id == parcel.order).values(is_packed=True))
