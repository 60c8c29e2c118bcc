"""The same job in eight queues, one type for each."""

from typing import Final

from jobmill import JobHandlers, JobType

from benchmarks.jobmill_app.handlers import Order
from benchmarks.work import work

QUEUES: Final = 8

handlers = JobHandlers()


def _in_queue(number: int) -> JobType[Order]:
    @handlers.register(f"bench.job{number}", queue=f"bench{number}")
    async def job(order: Order) -> None:
        await work(order.i)

    return job


#: By the numbers of their queues.
JOBS: Final = [_in_queue(number) for number in range(QUEUES)]
