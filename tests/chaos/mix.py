"""What is submitted, in which share, and how each kind may end."""

import random
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import uuid4

from attrs import field, frozen

Body = dict[str, Any]

SUCCEEDED: Final = frozenset({"succeeded"})
#: Waiting of any sort, which at the end of a trial means lost.
OPEN: Final = frozenset({"scheduled", "queued", "processing", "retrying"})


@frozen(kw_only=True)
class Kind:
    """One kind of job.

    Args:
        share: of all jobs, relative to the other kinds.
        make: draws type, payload and options.
        ends: the states in which it may end when nobody interferes.
    """

    name: str
    share: float
    make: Callable[[random.Random], Body]
    ends: frozenset[str] = SUCCEEDED


@frozen(kw_only=True)
class Order:
    """One job to be submitted, once, however often the request has to be repeated."""

    kind: str
    body: Body = field(repr=False)


def _priority(chance: random.Random) -> str:
    return chance.choices(("high", "normal", "low"), (1, 7, 2))[0]


def _quick(chance: random.Random) -> Body:
    return {"type": "chaos.quick", "payload": {}, "priority": _priority(chance)}


def _failing(times: int) -> Callable[[random.Random], Body]:
    return lambda chance: {**_quick(chance), "payload": {"fail_first": times}}


def _hopeless(chance: random.Random) -> Body:
    return {**_quick(chance), "payload": {"hopeless": True}}


def _slow(chance: random.Random) -> Body:
    duration_s = round(chance.uniform(0.5, 3.0), 2)
    return {"type": "chaos.slow", "payload": {"duration_s": duration_s}, "priority": _priority(chance)}


def _long(chance: random.Random) -> Body:
    return {"type": "chaos.slow", "payload": {"duration_s": 8.0}}


def _scheduled(chance: random.Random) -> Body:
    return {**_quick(chance), "delay_s": round(chance.uniform(1.0, 15.0), 2)}


def _short_lived(chance: random.Random) -> Body:
    return {**_quick(chance), "ttl_s": round(chance.uniform(0.05, 5.0), 2)}


def _charge(chance: random.Random) -> Body:
    duration_s = round(chance.uniform(0.0, 0.5), 2)
    return {"type": "chaos.charge", "payload": {"duration_s": duration_s}, "priority": _priority(chance)}


def poison(kills: int, *, attempts: int = 20) -> Order:
    """A job that kills its worker so many times before it succeeds."""
    body = {"type": "chaos.poison", "payload": {"kill_first": kills}, "max_attempts": attempts}
    return Order(kind="poison" if kills < attempts else "poison to the end", body=_keyed(body))


def probe(queue: str = "default", priority: str = "high") -> Order:
    """A quick job by which to see that a lane is served."""
    body = {"type": "chaos.quick", "payload": {}, "queue": queue, "priority": priority}
    return Order(kind="probe", body=_keyed(body))


def failing_probe() -> Order:
    """A job by which to see that retries come back."""
    return Order(kind="probe", body=_keyed({"type": "chaos.quick", "payload": {"fail_first": 2}}))


KINDS: Final = (
    Kind(name="quick", share=70, make=_quick),
    Kind(name="fails once", share=6, make=_failing(1)),
    Kind(name="fails twice", share=3, make=_failing(2)),
    Kind(name="hopeless", share=2, make=_hopeless, ends=frozenset({"failed"})),
    Kind(name="slow", share=3, make=_slow),
    Kind(name="long", share=0.2, make=_long),
    Kind(name="charge", share=5, make=_charge),
    Kind(name="scheduled", share=4, make=_scheduled),
    Kind(name="short-lived", share=3, make=_short_lived, ends=frozenset({"succeeded", "expired"})),
)
_BESIDES: Final = {
    "probe": SUCCEEDED,
    "poison": SUCCEEDED,
    "poison to the end": frozenset({"failed"}),
}
ENDS: Final[Mapping[str, frozenset[str]]] = {kind.name: kind.ends for kind in KINDS} | _BESIDES


def draw(chance: random.Random, count: int) -> list[Order]:
    """Draw jobs from the mix."""
    chosen = chance.choices(KINDS, [kind.share for kind in KINDS], k=count)
    return [Order(kind=kind.name, body=_keyed(kind.make(chance))) for kind in chosen]


def _keyed(body: Body) -> Body:
    """Give it an idempotency key, by which a request whose answer was lost is repeated without harm."""
    return {**body, "idempotency_key": str(uuid4())}
