"""Opening deliveries: what is ours becomes jobs, what is not goes to quarantine."""

import asyncio
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from jobmill.application.codec.barriers import open_barrier
from jobmill.application.codec.parcels import (
    BadNotice,
    FutureParcel,
    OpenedParcel,
    UnreadableParcel,
    open_parcel,
)
from jobmill.application.errors import StorageRefused, Unavailable
from jobmill.application.parcels import pack_barrier
from jobmill.application.ports.barriers import Barrier, Barriers
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.message_bus import Delivery, MessageBus, PublishOutcome
from jobmill.application.ports.observer import Observer
from jobmill.application.ports.quarantine import Quarantine
from jobmill.application.setting_aside import SettingAside
from jobmill.domain.job import Job

#: Before a message that could not be dealt with is put back, so that it does not spin.
_PAUSE_S: Final = 2.0


@frozen(kw_only=True)
class Receiver:
    """Reads what the bus delivers."""

    bus: MessageBus
    quarantine: Quarantine
    barriers: Barriers
    clock: Clock
    entropy: Entropy
    observer: Observer

    async def open(self, delivery: Delivery, *, source: str) -> tuple[Job, ...] | None:
        """Return the jobs of a delivery, each once; None if the delivery is answered already.

        Damaged notices and foreign messages are in quarantine, committed, when this returns.
        """
        barrier = open_barrier(delivery.body)
        if barrier is not None:
            await self._pass_on(barrier, delivery, source)
            return None
        try:
            parcel = open_parcel(delivery.body)
            if parcel.bad:
                await self._keep(parcel.bad, delivery, source)
        except UnreadableParcel as error:
            await self._set_aside(delivery, source, str(error))
            return None
        except FutureParcel as error:
            self.observer.noted("parcel put back", source=source, reason=str(error))
            await self._put_back(delivery)
            return None
        except Unavailable as error:
            self.observer.noted("damaged notice put back", source=source, reason=str(error))
            await self._put_back(delivery)
            return None
        return _each_once(parcel)

    async def _pass_on(self, barrier: Barrier, delivery: Delivery, source: str) -> None:
        """Send a barrier through the next share, or say that it came out of the last.

        One from before, or in a wrong lane, proves nothing.
        """
        onward = barrier.next
        try:
            if str(barrier.place) != source:
                self._noted_old(barrier, source)
            elif onward is not None:
                [outcome] = await self.bus.publish([pack_barrier(onward)])
                if outcome is not PublishOutcome.CONFIRMED:
                    self.observer.noted("barrier put back", source=source, reason=outcome.value)
                    await self._put_back(delivery)
                    return
            elif not await self.barriers.came_back(barrier):
                self._noted_old(barrier, source)
        except (Unavailable, StorageRefused) as error:
            self.observer.noted("barrier put back", source=source, reason=str(error))
            await self._put_back(delivery)
        else:
            delivery.ack()

    def _noted_old(self, barrier: Barrier, source: str) -> None:
        self.observer.noted("barrier from before put away", source=source, barrier=barrier.id)

    async def _set_aside(self, delivery: Delivery, source: str, reason: str) -> None:
        try:
            await self._keep([BadNotice(raw=delivery.body, reason=reason)], delivery, source)
        except Unavailable as error:
            self.observer.noted("foreign message put back", source=source, reason=str(error))
            await self._put_back(delivery)
        else:
            delivery.ack()

    async def _keep(self, bad: Sequence[BadNotice], delivery: Delivery, source: str) -> None:
        aside = SettingAside(
            quarantine=self.quarantine, clock=self.clock, entropy=self.entropy, observer=self.observer
        )
        await aside.keep(
            [aside.letter(each.raw, each.reason, delivery=delivery, source=source) for each in bad]
        )

    async def _put_back(self, delivery: Delivery) -> None:
        await asyncio.sleep(_PAUSE_S)
        delivery.release()


def _each_once(parcel: OpenedParcel) -> tuple[Job, ...]:
    """Of several notices of one job only the newest can be claimed."""
    newest: dict[int, Job] = {}
    for job in parcel.jobs:
        seen = newest.setdefault(job.id.int, job)
        if seen.version < job.version:
            newest[job.id.int] = job
    return tuple(newest.values())
