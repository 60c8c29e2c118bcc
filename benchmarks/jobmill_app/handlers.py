"""The job: it does nothing, or waits."""

from attrs import frozen

from jobmill import JobHandlers

from benchmarks.work import work


@frozen
class Order:
    """What every contender's jobs carry."""

    i: int
    user_id: str
    channel: str
    template: str
    locale: str
    to: str
    trace: str
    pad: str


handlers = JobHandlers()


@handlers.register("bench.job")
async def job(order: Order) -> None:
    await work(order.i)
