"""What the feed sends: five kinds of update, each of one thing and with a place in that thing's sequence."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=100)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
#: Rises with every update of the same thing; gaps are harmless.
Sequence = Annotated[int, Meta(ge=1, le=2**63 - 1)]
#: Decimal odds in thousandths: 2500 is 2.5. A price of 1 would pay nothing.
PriceMilli = Annotated[int, Meta(ge=1_001, le=1_000_000_000)]
Status = Literal["open", "suspended", "closed"]


class Event(Struct, frozen=True, kw_only=True):
    event: Id
    sequence: Sequence
    name: Name
    status: Status = "open"


class Market(Struct, frozen=True, kw_only=True):
    market: Id
    event: Id
    sequence: Sequence
    name: Name
    status: Status = "open"


class Selection(Struct, frozen=True, kw_only=True):
    selection: Id
    market: Id
    sequence: Sequence
    name: Name
    status: Status = "open"


class Odds(Struct, frozen=True, kw_only=True):
    selection: Id
    sequence: Sequence
    price_milli: PriceMilli


class Boost(Struct, frozen=True, kw_only=True):
    """A better price for a while; there is nothing to boost before there are odds."""

    selection: Id
    sequence: Sequence
    price_milli: PriceMilli
