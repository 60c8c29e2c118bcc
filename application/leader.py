"""The chores of the house, done by one process at a time."""

import asyncio
from datetime import timedelta
from typing import Final

from jobmill.application.errors import SetupFault, StorageRefused, Unavailable
from jobmill.application.ports.leadership import Leadership
from jobmill.application.ports.observer import Observer
from jobmill.application.reconciler import Reconciler
from jobmill.application.scheduler import Scheduler
from jobmill.application.topology_keeper import TopologyKeeper

ROLE: Final = "chores"
STEP_EVERY: Final = timedelta(seconds=2)
LEADER_TTL: Final = timedelta(seconds=10)
_SHORTEST_S: Final = 0.02


class Leader:
    """Runs scheduler, reconciler and topology keeper while it holds the role.

    Leading saves work and nothing more: every step is safe with two leaders. The role is renewed by
    finishing a step, so that a leader that hangs loses it.

    Args:
        is_alone: no other process can run jobs of this store, as a process lock proves; so what a killed
            process left is taken up as soon as its leases are over.
    """

    def __init__(
        self,
        *,
        leadership: Leadership,
        scheduler: Scheduler,
        reconciler: Reconciler,
        topology_keeper: TopologyKeeper,
        observer: Observer,
        name: str,
        is_alone: bool = False,
    ) -> None:
        self._leadership = leadership
        self._scheduler = scheduler
        self._reconciler = reconciler
        self._topology_keeper = topology_keeper
        self._observer = observer
        self._name = name
        self._is_alone = is_alone
        self._leads = False

    @property
    def leads(self) -> bool:
        """This process held the role when it last looked."""
        return self._leads

    async def run(self) -> None:
        """Step every two seconds, or earlier when a job becomes due, until cancelled."""
        while True:
            wait_s = await self._step()
            await asyncio.sleep(wait_s)

    async def resign(self) -> None:
        """Let another process lead at once."""
        if self._leads:
            self._leads = False
            try:
                await self._leadership.resign(ROLE, holder=self._name)
            except Unavailable:
                pass  # the role lapses

    async def _step(self) -> float:
        """Take a step and return how long to wait for the next, in seconds."""
        every_s = STEP_EVERY.total_seconds()
        try:
            led = self._leads
            self._leads = await self._leadership.hold(ROLE, holder=self._name, ttl=LEADER_TTL)
            if not self._leads:
                return every_s
            if not led and self._is_alone:
                self._reconciler.trust_leases()
            elif not led:
                self._reconciler.distrust_leases()
            await self._scheduler.step()
            await self._reconciler.step()
            await self._topology_keeper.step()
            next_due = await self._scheduler.next_due()
        except (Unavailable, StorageRefused, SetupFault) as error:
            self._reconciler.distrust_leases()
            self._observer.noted("chores interrupted", reason=str(error))
            return every_s
        if next_due is None:
            return every_s
        return max(_SHORTEST_S, min(every_s, next_due.total_seconds()))
