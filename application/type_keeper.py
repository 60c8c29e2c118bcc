"""Showing the others which types this process runs, and seeing which they do."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from jobmill.application.errors import StorageRefused, Unavailable
from jobmill.application.handlers import JobType, Registry
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.type_registry import StoredType, TypeRegistry, WorkerCard

#: A third of the time after which a silent worker counts as gone.
STEP_EVERY_S: Final = 5.0
#: A name that nobody knows makes the process look again, at most this often.
LOOK_EVERY_S: Final = 1.0
#: What runs is declared again so often, so that what was not declared for long runs nowhere.
DECLARE_EVERY_S: Final = 3_600.0
TYPES_KEPT: Final = timedelta(days=7)
WORKERS_KEPT: Final = timedelta(hours=1)
FORGET_MAX: Final = 100
#: The first look of a worker may hold up its start for so long.
_FIRST_WITHIN_S: Final = 5.0


class TypeKeeper:
    """Keeps the board of a process's registry fresh, and the process itself on the boards of the others.

    Args:
        process: a name that no other process has, nor an earlier one.
        concurrency: how many jobs it runs at a time.
    """

    def __init__(
        self, *, types: TypeRegistry, registry: Registry, observer: Observer, process: str, concurrency: int
    ) -> None:
        self._types = types
        self._registry = registry
        self._observer = observer
        self._process = process
        self._concurrency = concurrency
        self._looked_s = -LOOK_EVERY_S
        self._declared_s = -DECLARE_EVERY_S
        self._complaint = ""
        self._told: set[str] = set()
        self._looking = asyncio.Lock()

    async def begin(self, *, works: bool) -> None:
        """Take the first step of a process, within a bounded time; ``run`` makes good for what fails."""
        try:
            async with asyncio.timeout(_FIRST_WITHIN_S):
                await self._step(works=works)
        except (Unavailable, TimeoutError):
            pass

    async def run(self, *, works: bool) -> None:
        """Look every five seconds until cancelled.

        Args:
            works: the process runs jobs, so it shows itself as well.
        """
        while True:
            await asyncio.sleep(STEP_EVERY_S)
            try:
                await self._step(works=works)
                self._complaint = ""
            except (Unavailable, StorageRefused) as error:
                if str(error) != self._complaint:
                    self._observer.noted("types of other processes not seen", reason=str(error))
                self._complaint = str(error)

    async def leave(self) -> None:
        """Take a worker that ends off the boards of the others."""
        try:
            await self._types.leave(self._process)
        except Unavailable:
            pass  # it lapses

    async def look(self) -> bool:
        """Look at the store now, unless that was done a moment ago; False if it cannot be reached."""
        async with self._looking:
            if asyncio.get_running_loop().time() - self._looked_s < LOOK_EVERY_S:
                return True
            try:
                await self._refresh()
            except Unavailable:
                return False
            return True

    async def _step(self, *, works: bool) -> None:
        now_s = asyncio.get_running_loop().time()
        if works and now_s - self._declared_s >= DECLARE_EVERY_S:
            await self._types.declare([stored_form(each) for each in self._registry.types])
            await self._types.forget(types_after=TYPES_KEPT, workers_after=WORKERS_KEPT, limit=FORGET_MAX)
            self._declared_s = now_s
        if works:
            await self._types.attend(
                WorkerCard(name=self._process, concurrency=self._concurrency, types=self._hashes())
            )
        async with self._looking:
            await self._refresh()

    async def _refresh(self) -> None:
        looked_s = asyncio.get_running_loop().time()
        self._registry.board.show(await self._types.look())
        self._looked_s = looked_s
        doubles = self._registry.board.doubles
        for name in doubles.keys() - self._told:
            hashes = ", ".join(sorted(each[:12] for each in doubles[name]))
            self._observer.noted("workers run one type with two schemas", type=name, hashes=hashes)
        self._told = set(doubles)

    def _hashes(self) -> Mapping[str, str]:
        return {each.name: each.schema_hash for each in self._registry.types}


def stored_form(declared: JobType[Any]) -> StoredType:
    """Return what other processes may know of a type."""
    return StoredType(
        name=declared.name,
        hash=declared.schema_hash,
        rules=declared.rules,
        reads_from=declared.reads_from,
        schema=declared.schema.json_schema,
        components=declared.schema.components,
    )
