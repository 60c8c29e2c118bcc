"""What the processes tell each other of the types of job they know."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from attrs import field, frozen

from jobmill.domain.job_type import TypeRules

#: A worker that was not seen for so long, by the store's time, does not count as living.
LIVE_WITHIN: Final = timedelta(seconds=15)
#: So many types are looked at, those declared last first.
TYPES_MAX: Final = 1_000


@frozen(kw_only=True)
class StoredType:
    """A type as some process declared it.

    Args:
        hash: of the payload's version and schema: equal hashes take the same payloads.
        rules: of the retry policy only the number of attempts is true.
        reads_from: the oldest version of the payload that the declaring code can still read.
        schema: the JSON Schema of the payload, its references leading to ``#/components/schemas/…``.
        components: what they lead to, by name.
        declared_at: when it was last declared, by the store's time; None in what is to be declared.
    """

    name: str
    hash: str
    rules: TypeRules
    reads_from: int
    schema: Mapping[str, Any]
    components: Mapping[str, Any] = field(factory=dict)
    declared_at: datetime | None = None


@frozen(kw_only=True)
class WorkerCard:
    """A worker as it shows itself.

    Args:
        name: no other process has it, nor had it before.
        concurrency: how many jobs it runs at a time.
        types: the hash of each type it runs, by the type's name.
    """

    name: str
    concurrency: int
    types: Mapping[str, str]


@frozen(kw_only=True)
class LiveWorker:
    """A worker that was seen a moment ago; times by the store's clock."""

    card: WorkerCard
    started_at: datetime
    seen_at: datetime


@frozen(kw_only=True)
class Sightings:
    """The types that are stored and the workers that live, by name, as the store had them at one moment."""

    types: Sequence[StoredType] = ()
    workers: Sequence[LiveWorker] = ()


class TypeRegistry(Protocol):
    """Every method raises ``Unavailable`` as ``JobRepository`` says; all but ``look`` may be repeated."""

    async def declare(self, types: Sequence[StoredType]) -> None:
        """Store types, each under its name and hash; what was stored there is replaced."""
        ...

    async def attend(self, card: WorkerCard) -> None:
        """Show that a worker lives now; the first time it has started now."""
        ...

    async def leave(self, name: str) -> None:
        """Forget a worker that ends."""
        ...

    async def look(self) -> Sightings:
        """Return what is known: at most ``TYPES_MAX`` types, and the workers seen within ``LIVE_WITHIN``."""
        ...

    async def forget(self, *, types_after: timedelta, workers_after: timedelta, limit: int) -> int:
        """Drop types not declared and workers not seen for so long, at most ``limit`` of each.

        Returns:
            How many types were dropped.
        """
        ...
