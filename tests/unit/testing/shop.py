"""A user's project: handlers that charge cards, and a bank that can be looked into."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

from attrs import define, field, frozen

from jobmill import JobContext, JobHandlers, JobType, PermanentFailure, RetryPolicy

HANDLING_S = 10


@define
class FakeBank:
    """Charges once per key."""

    charges: dict[UUID, int] = field(factory=dict)
    calls: int = 0

    async def charge(self, card: str, cents: int, *, key: str) -> int:
        """Charge and answer 200, or answer 402."""
        self.calls += 1
        if card == "empty":
            return 402
        self.charges.setdefault(UUID(key), cents)
        return 200


@frozen
class Charge:
    order: int
    card: str
    cents: int


@frozen
class Number:
    number: int = 0


#: What the handlers talk to; a fixture replaces it.
here: dict[str, FakeBank] = {}
handlers = JobHandlers()


@handlers.register("order.charge", queue="payments")
async def charge(order: Charge, job: JobContext) -> None:
    status = await here["bank"].charge(order.card, order.cents, key=job.idempotency_key)
    if status == 402:
        raise PermanentFailure("card declined")
    async with job.transaction() as db:
        await db.execute("update orders set paid = true where id = :id", {"id": order.order})


@handlers.register("number.double")
def double(number: Number) -> int:
    return 2 * number.number


@handlers.register("number.slow", retry=RetryPolicy(base=timedelta(seconds=1), jitter=0.0))
async def slow(number: Number) -> int:
    await asyncio.sleep(HANDLING_S)
    return number.number


@handlers.register("number.refused", queue="refusals", retry=RetryPolicy(max_attempts=2, jitter=0.5))
async def refused(number: Number) -> None:
    raise ConnectionError(f"nobody wants {number.number}")


Work = Callable[[Number, JobContext], Coroutine[Any, Any, object]]


def of(work: Work, *, queue: str = "default") -> JobType[Number]:
    """A type of job that does this."""
    return JobHandlers().register("work", queue=queue)(work)
