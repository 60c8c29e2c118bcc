"""Handlers for what foreign producers ask for."""

from attrs import frozen

from jobmill import JobHandlers

handlers = JobHandlers()


@frozen
class Call:
    call_id: str
    phone_number: str


@frozen
class Odds:
    market: int


@frozen
class Task:
    id: int
    title: str


@frozen
class Paid:
    order: int


@handlers.register("call.process")
async def process_call(call: Call) -> str:
    return call.call_id


@handlers.register("odds.update")
async def update_odds(odds: Odds) -> int:
    return odds.market


@handlers.register("task.created")
async def tell_of_task(task: Task) -> str:
    return task.title


@handlers.register("order.paid")
async def ship(paid: Paid) -> int:
    return paid.order
