"""The chores of the house, done by one process at a time."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Final

from jobmill.application.attendance import Attendance
from jobmill.application.errors import SetupFault, StorageRefused, Unavailable
from jobmill.application.orphans import Orphans
from jobmill.application.ports.agenda import Agenda
from jobmill.application.ports.leadership import Leadership
from jobmill.application.ports.observer import Observer
from jobmill.application.reconciler import Reconciler
from jobmill.application.relay import SWEEP_AFTER
from jobmill.application.retention_keeper import RetentionKeeper
from jobmill.application.scheduler import Scheduler
from jobmill.application.topology_keeper import TopologyKeeper

ROLE: Final = "chores"
STEP_EVERY: Final = timedelta(seconds=2)
LEADER_TTL: Final = timedelta(seconds=10)
_SHORTEST_S: Final = 0.02
#: Soon, since a short interruption keeps the trust in leases.
_TRY_AGAIN_S: Final = 0.5


class Leader:
    """Runs scheduler, reconciler, topology keeper and retention while it holds the role.

    Leading saves work and nothing more: every step is safe with two leaders. The role is renewed by
    finishing a step, so that a leader that hangs loses it. A leader that is surely dead is followed at once.
    A step begins with one look at all there may be to do; a chore that has nothing there is left out.
    """

    def __init__(
        self,
        *,
        leadership: Leadership,
        agenda: Agenda,
        scheduler: Scheduler,
        reconciler: Reconciler,
        topology_keeper: TopologyKeeper,
        orphans: Orphans,
        retention_keeper: RetentionKeeper,
        attendance: Attendance,
        observer: Observer,
    ) -> None:
        self._leadership = leadership
        self._agenda = agenda
        self._scheduler = scheduler
        self._reconciler = reconciler
        self._topology_keeper = topology_keeper
        self._orphans = orphans
        self._retention_keeper = retention_keeper
        self._attendance = attendance
        self._observer = observer
        self._name: str | None = None  # by which the role was taken
        self._leads = False
        self._complaint = ""
        self._answered_s = 0.0  # when the store had answered everything of a step for the last time

    @property
    def leads(self) -> bool:
        """This process held the role when it last looked."""
        return self._leads

    async def run(self) -> None:
        """Step every two seconds, or when a job becomes due or a process has died, until cancelled."""
        news = asyncio.Event()
        self._attendance.listen(partial(asyncio.get_running_loop().call_soon_threadsafe, news.set))
        while True:
            news.clear()
            wait_s = await self._step()
            try:
                async with asyncio.timeout(wait_s):
                    await news.wait()
            except TimeoutError:
                pass

    async def resign(self) -> None:
        """Let another process lead at once."""
        if self._leads and self._name is not None:
            self._leads = False
            try:
                await self._leadership.resign(ROLE, holder=self._name)
            except Unavailable:
                pass  # the role lapses

    async def _step(self) -> float:
        """Take a step and return how long to wait for the next, in seconds."""
        loop, every_s = asyncio.get_running_loop(), STEP_EVERY.total_seconds()
        try:
            led = self._leads
            self._leads = await self._hold()
            if not self._leads:
                return every_s
            if not led and self._attendance.is_alone:
                self._reconciler.trust_leases()
            elif not led:
                self._reconciler.distrust_leases()
            else:
                self._reconciler.resume(after_s=loop.time() - self._answered_s)
            looked_s = loop.time()
            errands = await self._agenda.look(left_after=SWEEP_AFTER)
            if errands.runs:
                await self._orphans.step()
            if errands.is_due:
                await self._scheduler.step()
            await self._reconciler.step(errands)
            await self._topology_keeper.step()
            await self._retention_keeper.step()
            self._answered_s = loop.time()
        except (Unavailable, StorageRefused, SetupFault) as error:
            if str(error) != self._complaint:
                self._observer.noted("chores interrupted", reason=str(error))
            self._complaint = str(error)
            return _TRY_AGAIN_S
        self._complaint = ""
        if errands.next_due is None:
            return every_s
        next_due_s = looked_s + errands.next_due.total_seconds() - loop.time()
        return max(_SHORTEST_S, min(every_s, next_due_s))

    async def _hold(self) -> bool:
        """Take or keep the role, under the name of the moment; also from a holder that is surely dead."""
        name = self._attendance.name
        if self._leads and self._name is not None and self._name != name:
            await self._leadership.resign(ROLE, holder=self._name)
        self._name = name
        if await self._leadership.hold(ROLE, holder=name, ttl=LEADER_TTL):
            return True
        holder = await self._leadership.holder(ROLE)
        if holder is None or not self._attendance.is_gone(holder):
            return False
        await self._leadership.resign(ROLE, holder=holder)
        return await self._leadership.hold(ROLE, holder=name, ttl=LEADER_TTL)
