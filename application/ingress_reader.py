"""One binding's queue: read for as long as what is read can be stored."""

import asyncio
from collections import Counter
from typing import Final

from jobmill.application.errors import Unavailable
from jobmill.application.ingress_binding import IngressBinding
from jobmill.application.ingress_taker import IngressCase, IngressOutcome, IngressTaker
from jobmill.application.ports.ingress import Ingress, IngressMessage
from jobmill.application.ports.observer import Observer

#: Messages held unanswered. Those that come together are stored together.
PREFETCH: Final = 200
#: While they cannot be stored they are held for this long before they go back, for other workers to try. Each
#: going back counts towards the delivery limit that a queue may have, so it is not done lightly.
HOLD_S: Final = 60.0
#: Between two looks whether what stood in the way is over.
LOOK_S: Final = 5.0
#: At the end: a little longer than a try to store something lasts.
STOP_WITHIN_S: Final = 8.0


class IngressReader:
    """Reads one queue.

    Args:
        tally: counts, under (binding, what), the outcomes, and the jobs that may be doubles.
    """

    def __init__(
        self,
        binding: IngressBinding,
        *,
        ingress: Ingress,
        taker: IngressTaker,
        observer: Observer,
        tally: Counter[tuple[str, str]],
    ) -> None:
        self._binding: Final = binding
        self._ingress: Final = ingress
        self._taker: Final = taker
        self._observer: Final = observer
        self._tally: Final = tally
        self._takes: Final[set[asyncio.Task[None]]] = set()
        self._stopping: Final = asyncio.Event()
        self._gave_up: Final = asyncio.Event()
        #: What cannot be stored for now.
        self._waiting: Final[set[IngressCase]] = set()
        self._trouble: Unavailable | None = None

    async def run(self) -> None:
        """Read until told to stop; every message that was taken is answered then."""
        try:
            while not self._stopping.is_set():
                await self._read_while_it_goes()
                if self._takes:
                    await asyncio.wait(self._takes, timeout=STOP_WITHIN_S)
                if self._gave_up.is_set():
                    await self._until_trouble_is_over()
        finally:
            for take in self._takes:
                take.cancel()

    def stop(self) -> None:
        """Take no more; what waits for its trouble to end goes back."""
        self._stopping.set()

    async def _read_while_it_goes(self) -> None:
        self._gave_up.clear()
        reading = asyncio.create_task(self._read())
        bells = [asyncio.create_task(each.wait()) for each in (self._gave_up, self._stopping)]
        try:
            await asyncio.wait({reading, *bells}, return_when=asyncio.FIRST_COMPLETED)
            has_ended = reading.done()
        finally:
            for each in (reading, *bells):
                each.cancel()
            await asyncio.wait({reading})  # what was not handed out is back by then
        if has_ended:
            error = reading.exception()
            reason = "the messages ended" if error is None else repr(error)
            self._observer.noted("ingress is no longer read", binding=self._binding.name, reason=reason)
            await self._stops_within(LOOK_S)

    async def _read(self) -> None:
        async with self._ingress.receive(self._binding.queue, prefetch=PREFETCH) as messages:
            async for message in messages:
                take = asyncio.create_task(self._take(message))
                self._takes.add(take)
                take.add_done_callback(self._took)

    def _took(self, take: "asyncio.Task[None]") -> None:
        """A message on which we failed is left unanswered: to put it back would be to fail at once again."""
        self._takes.discard(take)
        if not take.cancelled() and (error := take.exception()) is not None:
            name = self._binding.name
            self._observer.noted("ingress failed on a message", binding=name, reason=repr(error))

    async def _take(self, message: IngressMessage) -> None:
        try:
            case = await self._taker.read(message, self._binding)
            outcome = await self._settled(case)
        except asyncio.CancelledError:
            message.release()
            raise
        if outcome is None:
            message.release()
            return
        message.ack()
        self._tally[self._binding.name, outcome.value] += 1
        if case.is_keyless and message.is_redelivered and outcome is IngressOutcome.ACCEPTED:
            self._tell_of_a_double(case)

    async def _settled(self, case: IngressCase) -> IngressOutcome | None:
        """Return what became of a message; None if it cannot be stored for now."""
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + HOLD_S
        try:
            while True:
                try:
                    return await self._taker.settle(case)
                except Unavailable as error:
                    self._note_trouble(case, error)
                    if self._gave_up.is_set() or loop.time() >= give_up_s:
                        self._gave_up.set()
                        return None
                    if await self._stops_within(error.retry_after.total_seconds()):
                        return None
        finally:
            self._waiting.discard(case)
            self._note_end()

    async def _until_trouble_is_over(self) -> None:
        """Wait with nothing in hand."""
        while self._trouble is not None and not await self._taker.could_settle(self._trouble, count=PREFETCH):
            if await self._stops_within(LOOK_S):
                return
        self._gave_up.clear()
        self._note_end()

    async def _stops_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    def _note_trouble(self, case: IngressCase, trouble: Unavailable) -> None:
        if self._trouble is None:
            self._observer.noted("ingress waits", binding=self._binding.name, reason=str(trouble))
        self._trouble = trouble
        self._waiting.add(case)

    def _note_end(self) -> None:
        """Say so when the last that waited waits no longer, unless it went back."""
        if self._trouble is not None and not self._waiting and not self._gave_up.is_set():
            self._trouble = None
            self._observer.noted("ingress goes on", binding=self._binding.name)

    def _tell_of_a_double(self, case: IngressCase) -> None:
        """The first delivery may have been lost on its way, or have become a job whose answer was lost."""
        self._tally[self._binding.name, "possible double"] += 1
        self._observer.noted(
            "ingress may have made a second job",
            binding=self._binding.name,
            job_id=None if case.new is None else case.new.job.id,
            so_far=self._tally[self._binding.name, "possible double"],
            reason="the message was delivered before, and nothing in it tells it from another",
        )
