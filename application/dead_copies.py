"""Taking away the copies of dead letters that are dead no longer."""

import asyncio
from collections.abc import Sequence
from typing import Final

from attrs import define, field

from jobmill.application.codec.barriers import open_barrier
from jobmill.application.codec.parcels import FutureParcel, OpenedParcel, UnreadableParcel, open_parcel
from jobmill.application.errors import BrokerUnavailable
from jobmill.application.ports.dead_copies import DeadCopies
from jobmill.application.ports.job_finder import JobFinder
from jobmill.application.ports.job_repository import JobRepository
from jobmill.application.ports.observer import Observer
from jobmill.domain.states import DEAD
from jobmill.domain.transition import Fence

#: How often the copies are counted and compared with the list of dead letters.
COMPARE_EVERY_S: Final = 20.0
#: Copies of one queue that are looked at in one step.
PAGE: Final = 500
#: Copies of one pass that are remembered, to find those that lie there twice.
_REMEMBERED_MAX: Final = 100_000


@define(kw_only=True)
class _Pass:
    """One walk along the copies of a queue."""

    counted: tuple[int, int]  # copies, dead letters
    left: int
    removed: int = 0
    seen: set[Fence] = field(factory=set)


class DeadCopySweep:
    """Keeps the copies of dead letters in step with the list of them, which is the store's.

    Nothing is looked at while their numbers agree, and a walk that found nothing to remove is repeated only
    when one of the numbers has changed: the rest is then somebody else's. A requeue does not wait for this.
    """

    def __init__(
        self,
        *,
        copies: DeadCopies,
        jobs: JobRepository,
        finder: JobFinder,
        queues: Sequence[str],
        observer: Observer,
    ) -> None:
        self._copies = copies
        self._jobs = jobs
        self._finder = finder
        self._queues = queues
        self._observer = observer
        self._compare_at_s = 0.0
        self._passes: dict[str, _Pass] = {}
        self._in_vain: dict[str, tuple[int, int]] = {}

    async def step(self) -> None:
        """Count from time to time, and walk a bounded part of the way.

        Raises:
            Unavailable: the store cannot be reached.
        """
        try:
            now_s = asyncio.get_running_loop().time()
            if not self._passes and now_s >= self._compare_at_s:
                self._compare_at_s = now_s + COMPARE_EVERY_S
                await self._compare()
            for queue, walk in list(self._passes.items()):
                await self._go_on(queue, walk)
        except BrokerUnavailable as error:
            self._passes.clear()
            self._observer.noted("copies of dead letters cannot be looked at", reason=str(error))

    async def _compare(self) -> None:
        """Begin a walk where there are more copies than dead letters."""
        copies = await self._copies.count_copies(self._queues)
        if not any(copies.values()):
            return
        dead = dict.fromkeys(self._queues, 0)
        for (queue, state), count in (await self._finder.counts()).items():
            if state in DEAD and queue in dead:
                dead[queue] += count
        for queue, count in dead.items():
            found = copies[queue] or 0
            if found > count and self._in_vain.get(queue) != (found, count):
                self._passes[queue] = _Pass(counted=(found, count), left=found)

    async def _go_on(self, queue: str, walk: _Pass) -> None:
        async def judge(bodies: Sequence[bytes]) -> Sequence[bool]:
            verdicts = await self._judge(walk, bodies)
            walk.removed += verdicts.count(False)
            return verdicts

        taken = await self._copies.sift(queue, limit=min(PAGE, walk.left), judge=judge)
        walk.left -= taken
        if walk.left > 0 and taken > 0:
            return
        del self._passes[queue]
        if walk.removed:
            self._observer.noted("copies of dead letters removed", queue=queue, copies=walk.removed)
            self._in_vain.pop(queue, None)
        else:
            self._in_vain[queue] = walk.counted

    async def _judge(self, walk: _Pass, bodies: Sequence[bytes]) -> list[bool]:
        """A copy is wanted while its job is dead by the very death it tells of, and once."""
        parcels = [_opened(body) for body in bodies]
        told = {job.id for parcel in parcels if parcel is not None for job in parcel.jobs}
        rows = await self._jobs.get(list(told))
        dead = {row.fence for row in rows if row is not None and row.state in DEAD} - walk.seen
        verdicts: list[bool] = []
        for parcel in parcels:
            if parcel is None or parcel.bad:
                verdicts.append(True)
                continue
            first = dead & {job.fence for job in parcel.jobs}
            verdicts.append(bool(first))
            dead -= first
            if len(walk.seen) < _REMEMBERED_MAX:
                walk.seen |= first
        return verdicts


def _opened(body: bytes) -> OpenedParcel | None:
    """Return what a copy tells of; nobody, for a barrier that the broker put here; None if it is not ours."""
    if open_barrier(body) is not None:
        return OpenedParcel(jobs=())
    try:
        return open_parcel(body)
    except (UnreadableParcel, FutureParcel):
        return None
