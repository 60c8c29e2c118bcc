"""How many jobs wait in each queue, and whether there is room for more."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Final

from jobmill.application.errors import QueueFull
from jobmill.application.ports.job_finder import JobFinder
from jobmill.domain.errors import JobmillError
from jobmill.domain.states import TERMINAL, JobState

#: A count is good for this long.
GOOD_FOR_S: Final = 5.0
#: And for so many times as long as it took, so that counting never becomes the store's main work.
GOOD_FOR_TIMES: Final = 50.0
#: Jobs in these states lie before the workers. One that runs is out of the way.
_UNDELIVERED: Final = frozenset(JobState) - TERMINAL - {JobState.PROCESSING}


class Backlog:
    """Keeps the number of undelivered jobs per queue within a bound.

    The store is asked now and then; in between, what this process accepts is added. So several processes
    together may pass the bound by what they accept between two counts.

    Args:
        jobs_max: undelivered jobs that a queue may hold, 1 or more.
    """

    def __init__(self, *, finder: JobFinder, jobs_max: int) -> None:
        self._finder = finder
        self._jobs_max = jobs_max
        self._counted: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()  # since the last count was begun
        self._good_until_s = 0.0
        self._has_counted = False
        self._counting: asyncio.Task[None] | None = None

    async def admit(self, wanted: Mapping[str, int]) -> None:
        """Find room for so many jobs in each of these queues, or in none.

        Raises:
            QueueFull: a queue has no room for all of its jobs.
        """
        await self._look()
        counted, accepted = self._counted, self._accepted
        for queue, count in wanted.items():
            waiting = counted.get(queue, 0) + accepted.get(queue, 0)
            if waiting + count > self._jobs_max:
                raise QueueFull(queue=queue, waiting=waiting, jobs_max=self._jobs_max)
        for queue, count in wanted.items():
            accepted[queue] = accepted.get(queue, 0) + count

    async def has_room(self, queue: str, count: int) -> bool:
        """Tell whether a queue could take so many jobs now, or where it may never hold so many, is empty."""
        await self._look()
        waiting = self._counted.get(queue, 0) + self._accepted.get(queue, 0)
        return waiting + min(count, self._jobs_max) <= self._jobs_max

    async def _look(self) -> None:
        """Begin to count anew where the last count is old; only the very first is waited for."""
        if self._counting is None and asyncio.get_running_loop().time() >= self._good_until_s:
            self._counting = asyncio.create_task(self._count(before=self._accepted.copy()))
        if self._counting is not None and not self._has_counted:
            await asyncio.shield(self._counting)

    async def _count(self, *, before: Counter[str]) -> None:
        """Count. While the store is away the old count stands."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            counts = await self._finder.counts()
        except JobmillError:
            pass  # what is to be stored meets the same trouble
        else:
            self._counted = Counter()
            for (queue, state), number in counts.items():
                if state in _UNDELIVERED:
                    self._counted[queue] += number
            self._accepted -= before
        finally:
            self._has_counted = True
            took_s = loop.time() - began_s
            self._good_until_s = loop.time() + max(GOOD_FOR_S, GOOD_FOR_TIMES * took_s)
            self._counting = None
