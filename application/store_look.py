"""What the store knows of all processes together, for those who watch: asked now and then, in bounds."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from attrs import define, field, frozen

from jobmill.application.backlog import GOOD_FOR_S, GOOD_FOR_TIMES
from jobmill.application.ports.job_finder import JobFinder
from jobmill.application.ports.provider_states import ProviderRecord, ProviderStates
from jobmill.domain.errors import JobmillError
from jobmill.domain.states import JobState

#: Whoever asks waits no longer than this; then nothing is known for this time.
WITHIN_S: Final = 3.0


@frozen(kw_only=True)
class StoreFigures:
    """How the jobs and the providers are.

    Args:
        counts: unfinished jobs and dead letters by queue and state.
        waits: for each queue with queued jobs, how long the longest announced of them has waited.
        providers: with their breakers.
    """

    counts: Mapping[tuple[str, JobState], int]
    waits: Mapping[str, timedelta]
    providers: Sequence[ProviderRecord]


@define(kw_only=True, eq=False)
class StoreLook:
    """Looks at the store for whoever asks, all of them by one look.

    A look is good for some seconds, and for fifty times as long as it took, so that looking never becomes the
    store's main work.
    """

    finder: JobFinder
    providers: ProviderStates
    _seen: StoreFigures | None = field(default=None, init=False)
    _good_until_s: float = field(default=0.0, init=False)
    _looking: asyncio.Task[None] | None = field(default=None, init=False)

    async def figures(self) -> StoreFigures | None:
        """Return what was seen last; None where the store cannot be asked, or does not answer soon enough."""
        if self._looking is None:
            if asyncio.get_running_loop().time() < self._good_until_s:
                return self._seen
            self._looking = asyncio.create_task(self._look())
        looking = self._looking
        done, _ = await asyncio.wait({looking}, timeout=WITHIN_S)
        if not done:
            return None
        looking.result()  # a fault of ours is seen
        return self._seen

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        self._seen = None
        try:
            self._seen = await self._all()
        except JobmillError:
            pass  # that it cannot be asked is what is told of it
        finally:
            took_s = loop.time() - began_s
            self._good_until_s = loop.time() + max(GOOD_FOR_S, GOOD_FOR_TIMES * took_s)
            self._looking = None

    async def _all(self) -> StoreFigures:
        counts = await self.finder.counts()
        queued = sorted(queue for (queue, state), jobs in counts.items() if state is JobState.QUEUED and jobs)
        return StoreFigures(
            counts=counts,
            waits=await self.finder.longest_waits(queued),
            providers=await self.providers.look(),
        )
