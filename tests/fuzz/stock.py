"""Types of job whose payloads have a bit of everything, to try schemas on. Nothing here ever runs."""

from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Literal
from uuid import UUID

from attrs import field, frozen

from jobmill import JobHandlers

handlers = JobHandlers()


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@frozen(kw_only=True)
class Place:
    street: str
    number: int | None = None


@frozen(kw_only=True)
class Order:
    """Every kind of field that a payload may have."""

    id: UUID
    amount: int
    price: float = 0.5
    is_gift: bool = False
    colour: Colour = Colour.RED
    mode: Literal["crop", "fit"] = "fit"
    day: date | None = None
    at: datetime | None = None
    place: Place | None = None
    places: list[Place] = field(factory=list)
    names: tuple[str, ...] = ()
    by_name: dict[str, int] = field(factory=dict)
    rest: Any = None


@handlers.register("order", queue="orders", ttl=timedelta(hours=1))
async def order(order: Order) -> None:
    """Never called."""


@handlers.register("anything")
async def anything(payload: dict[str, Any]) -> None:
    """Never called."""
