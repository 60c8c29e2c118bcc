"""Keeping the leases of everything that runs here, in bulk."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from attrs import define, field

from jobmill.application.attendance import Attendance
from jobmill.application.errors import StorageRefused, Unavailable
from jobmill.application.ports.leases import Leases, Lost, Renewed
from jobmill.application.ports.observer import Observer
from jobmill.application.run import Interrupt, Run
from jobmill.domain.lease import LeasePolicy

#: A handler that ignores its cancellation so long loses its lease, so that another worker may try.
CANCEL_GRACE_S: Final = 10.0
_LOOKS_PER_RENEWAL: Final = 5


@define(eq=False)
class _Doubt:
    """A moment at which belief in some runs ends, unless more is heard of them."""

    at_s: float
    timer: asyncio.TimerHandle
    runs: dict[Run, None] = field(factory=dict)  # in the order of starting, in which they are stopped


class LeaseKeeper:
    """Renews leases while handlers run, and stops those whose lease cannot be believed in any longer."""

    def __init__(
        self, *, leases: Leases, attendance: Attendance, policy: LeasePolicy, observer: Observer
    ) -> None:
        self._leases = leases
        self._attendance = attendance
        self._policy = policy
        self._observer = observer
        self._runs: dict[Run, _Doubt | None] = {}  # when belief in each has to be looked at
        self._doubts: dict[float, _Doubt] = {}
        self._interrupted_s: dict[Run, float] = {}
        self._renewals: set[asyncio.Task[None]] = set()

    @property
    def runs(self) -> tuple[Run, ...]:
        """What runs at this moment, in the order of starting."""
        return tuple(self._runs)

    def watch(self, runs: Sequence[Run]) -> None:
        """Keep the leases of runs from here on; a run whose lease is over already is stopped at once."""
        self._runs.update(dict.fromkeys(runs))
        for run in runs:
            run.doubt = self._look_again
        self._doubt(runs)

    def forget(self, runs: Iterable[Run]) -> None:
        """These runs are over."""
        for run in runs:
            doubt = self._runs.pop(run, None)
            if doubt is not None:
                del doubt.runs[run]
                if not doubt.runs:
                    doubt.timer.cancel()
                    del self._doubts[doubt.at_s]
            if self._interrupted_s:
                self._interrupted_s.pop(run, None)

    async def keep(self) -> None:
        """Look after the runs until cancelled."""
        every_s = self._policy.renew_every.total_seconds() / _LOOKS_PER_RENEWAL
        while True:
            await asyncio.sleep(every_s)
            await self.look()

    async def look(self) -> None:
        """Renew what is due, and see which handlers ignore that they have to stop."""
        now = asyncio.get_running_loop().time()
        due_s = now - self._policy.renew_every.total_seconds()
        due = [run for run in self._runs if run.sent_s <= due_s and not run.is_abandoned]
        if due:
            # A renewal that hangs must not hold up the next one.
            renewal = asyncio.create_task(self._renew(due))
            self._renewals.add(renewal)
            renewal.add_done_callback(self._renewals.discard)
            every_s = self._policy.renew_every.total_seconds() / _LOOKS_PER_RENEWAL
            done, _ = await asyncio.wait({renewal}, timeout=every_s)
            for each in done:
                each.result()  # a fault of ours ends the keeper, so that it is seen
        self._abandon_the_deaf()

    async def _renew(self, runs: Sequence[Run]) -> None:
        sent_s = asyncio.get_running_loop().time()
        for run in runs:
            run.sent_s = sent_s  # not again before the next renewal is due
        try:
            answers = await self._leases.renew([run.fence for run in runs], ttl=self._policy.ttl)
        except (Unavailable, StorageRefused) as error:
            self._observer.noted("leases not renewed", runs=len(runs), reason=str(error))
            self._ask_again(runs, sent_s)
            return
        for run, answer in zip(runs, answers, strict=True):
            match answer:
                case Renewed(stop_asked=stop_asked):
                    # An answer may come after that of a later renewal.
                    run.believes_until_s = max(run.believes_until_s, self._policy.belief_ends(sent_s))
                    if stop_asked and not run.stop_asked:
                        run.job = run.job.changed(stop_asked=True)
                        run.stop(Interrupt.STOP_ASKED)
                case Lost():
                    run.stop(Interrupt.LEASE_LOST)  # without effect while its outcome is being saved
                case _:  # busy: belief goes on until its end
                    self._ask_again([run], sent_s)

    def _ask_again(self, runs: Sequence[Run], sent_s: float) -> None:
        """Let the next look renew what this one could not: a third of a lease is too long to wait."""
        for run in runs:
            if run.sent_s == sent_s:  # and no later renewal is on its way
                run.sent_s -= self._policy.renew_every.total_seconds()

    def _doubt(self, runs: Iterable[Run]) -> None:
        """Stop runs at the very moment when belief in them ends; until then, ask again by then.

        That is when a lease may be over, or somebody may take this process for dead.
        """
        now = asyncio.get_running_loop().time()
        for (believes_until_s, worker), alike in groupby(runs, _grounds):
            present_until_s = self._attendance.believed_until(worker or "")
            if believes_until_s <= now:
                _stop(alike, Interrupt.LEASE_LOST)
            elif present_until_s <= now:
                _stop(alike, Interrupt.PRESENCE_LOST)
            else:
                self._doubt_at(min(believes_until_s, present_until_s), dict.fromkeys(alike))

    def _look_again(self, run: Run) -> None:
        """Stop a run in which belief has ended by now, whether or not its timer was heard."""
        now = asyncio.get_running_loop().time()
        if run.believes_until_s <= now:
            run.stop(Interrupt.LEASE_LOST)
        elif self._attendance.believed_until(run.job.worker or "") <= now:
            run.stop(Interrupt.PRESENCE_LOST)

    def _doubt_at(self, at_s: float, runs: dict[Run, None]) -> None:
        """Look at runs at this moment; those of one claim share the look."""
        doubt = self._doubts.get(at_s)
        if doubt is None:
            timer = asyncio.get_running_loop().call_at(at_s, self._look_at, at_s)
            doubt = self._doubts[at_s] = _Doubt(at_s, timer)
        doubt.runs.update(runs)
        self._runs.update(dict.fromkeys(runs, doubt))

    def _look_at(self, at_s: float) -> None:
        runs = self._doubts.pop(at_s).runs
        self._runs.update(dict.fromkeys(runs))
        self._doubt(runs)

    def _abandon_the_deaf(self) -> None:
        """Let go of the leases of handlers that were told to stop long ago."""
        now = asyncio.get_running_loop().time()
        for run in self._runs:
            if run.interrupt is None or run.is_settling or run.is_abandoned:
                continue
            since = self._interrupted_s.setdefault(run, now)
            if now - since >= CANCEL_GRACE_S:
                run.is_abandoned = True
                self._observer.noted("handler ignores its cancellation", job_id=run.job.id, type=run.job.type)


def _grounds(run: Run) -> tuple[float, str | None]:
    """Return what belief in a run rests on: the end of its lease, and the name it was claimed by."""
    return run.believes_until_s, run.job.worker


def _stop(runs: Iterable[Run], reason: Interrupt) -> None:
    for run in runs:
        run.stop(reason)
