"""The types of job that the queue knows beside those that come with Jobmill, such as EMAIL."""

from datetime import timedelta

from attrs import frozen

from jobmill import JobHandlers, RetryPolicy

handlers = JobHandlers()


@frozen
class Numbers:
    numbers: list[float]


@frozen
class Charge:
    card: str
    cents: int


class CardExpired(Exception):
    """The bank refuses the card, today and tomorrow."""


@handlers.register("REPORT")
async def report(order: Numbers) -> dict[str, float]:
    return {"count": len(order.numbers), "sum": sum(order.numbers)}  # kept as the job's result


@handlers.register("CHARGE", retry=RetryPolicy(max_attempts=3, base=timedelta(seconds=0.1)))
async def charge(order: Charge) -> dict[str, int]:
    if order.card == "expired":
        raise CardExpired("the card has expired")  # tried again after 0.2 s and 0.4 s, then a dead letter
    return {"charged": order.cents}
