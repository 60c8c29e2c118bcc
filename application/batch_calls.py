"""Calls of handlers that take several jobs: which jobs share one, when it begins, what each is told of it."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from attrs import define, field

from jobmill.application.handlers import BatchJob, Gathering, HandlerFault, JobType
from jobmill.application.handlers.batch_job import Tell
from jobmill.application.outcomes import Outcome
from jobmill.application.ports.observer import Observer
from jobmill.application.run import Run
from jobmill.application.step_watch import BLOCKED, timed
from jobmill.application.verdicts import verdict_on
from jobmill.domain.failure import Failure, FailureKind

#: Makes what the handler is given of a job, at the moment of the call.
JobOf = Callable[[Tell], BatchJob[Any]]

_UNSAID: Final = Failure(
    kind=FailureKind.TRANSIENT,
    message="the batch handler said nothing of this job: call its succeed() or fail()",
)


@define(eq=False, kw_only=True)
class _Place:
    """One job of a call, and what was said of it."""

    run: Run
    job_of: JobOf
    ended: "asyncio.Future[object]"
    must_stop: bool = False
    is_told: bool = False
    value: object = None

    def tell(self, result: object, error: BaseException | None) -> None:
        if self.ended.done():
            raise HandlerFault(
                f"job {self.run.job.id}: its batch handler has ended; say what came of it before that"
            )
        self.is_told = True
        self.value = result if error is None else verdict_on(error)

    def end(self, otherwise: Outcome | None) -> None:
        """Give the run what was said, or else this; None where its interrupt says it all."""
        if self.is_told:
            self.ended.set_result(self.value)
        elif otherwise is None:
            self.ended.cancel()
        else:
            self.ended.set_result(otherwise)


class BatchCalls:
    """Gathers the jobs of each type that has a batch handler, and calls it.

    Every job keeps its own run, and with it its lease, its slot and its interrupts. The handler runs in a
    task of its own, which is cancelled when all of its jobs have to stop; of one alone it is only told.
    """

    def __init__(self, *, observer: Observer) -> None:
        self._observer = observer
        self._open: dict[str, _Call] = {}
        self._is_hurried = False

    async def join(self, run: Run, declared: JobType[Any], gathering: Gathering, job_of: JobOf) -> object:
        """Run a job together with others of its type; a suspect alone.

        Returns:
            What the handler returned for it, or an outcome.

        Raises:
            asyncio.CancelledError: nothing was said of it, and it or the handler was stopped.
        """
        call = _Call(declared, self._observer) if run.job.suspect else self._open.get(declared.name)
        if call is None:
            call = self._open[declared.name] = _Call(declared, self._observer)
            loop = asyncio.get_running_loop()
            call.timer = loop.call_later(gathering.wait.total_seconds(), self._begin, call)
        place = call.take_in(run, job_of)
        if run.job.suspect or self._is_hurried or call.size >= gathering.jobs_max:
            self._begin(call)
        try:
            return await asyncio.shield(place.ended)
        except asyncio.CancelledError:
            call.stop(place)
            if run.interrupt is None:
                raise
        # The call may go on for the others, and what it says of this one may still be a success.
        await asyncio.wait({place.ended})
        return place.ended.result()

    def hurry(self) -> None:
        """Begin what is being gathered, and let nothing wait for company from here on."""
        self._is_hurried = True
        for call in tuple(self._open.values()):
            self._begin(call)

    def _begin(self, call: "_Call") -> None:
        """Begin a call, which nobody can join from here on."""
        if call.timer is not None:
            call.timer.cancel()
        if self._open.get(call.declared.name) is call:
            del self._open[call.declared.name]
        call.begin()


@define(eq=False)
class _Call:
    """One call of a batch handler, from its first job to its end."""

    declared: JobType[Any]
    _observer: Observer
    timer: asyncio.TimerHandle | None = None
    _places: list[_Place] = field(factory=list, init=False)
    _task: "asyncio.Task[None] | None" = field(default=None, init=False)
    _is_called: bool = field(default=False, init=False)

    @property
    def size(self) -> int:
        return len(self._places)

    def take_in(self, run: Run, job_of: JobOf) -> _Place:
        ended = asyncio.get_running_loop().create_future()
        place = _Place(run=run, job_of=job_of, ended=ended)
        self._places.append(place)
        return place

    def begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self, place: _Place) -> None:
        """Take a job out, or once the handler has been called let it end if no job is left to go on for."""
        if place.ended.done():
            return
        if not self._is_called:
            self._places.remove(place)
            place.end(None)
            return
        place.must_stop = True
        if self._task is not None and all(each.must_stop for each in self._places):
            self._task.cancel()

    async def _run(self) -> None:
        self._is_called = True
        for place in self._places:
            place.run.look_again()
        for place in [each for each in self._places if each.run.interrupt is not None]:
            self._places.remove(place)  # it was told to stop and has not come to it yet
            place.end(None)
        if not self._places:
            return
        otherwise: Outcome | None = _UNSAID
        try:
            await self._handle()
        except asyncio.CancelledError:
            otherwise = None  # every run knows by its own interrupt what that means
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the user's code raises is an outcome
            otherwise = verdict_on(error)
        for place in self._places:
            place.end(otherwise)

    async def _handle(self) -> None:
        for place in self._places:
            place.run.is_called()
        jobs = [place.job_of(place.tell) for place in self._places]
        stopwatch = asyncio.get_running_loop().time
        await timed(self.declared.function(jobs), stopwatch=stopwatch, blocked=self._blocked)

    def _blocked(self, took_s: float) -> None:
        self._observer.noted(
            BLOCKED,
            type=self.declared.name,
            jobs=self.size,
            seconds=round(took_s, 3),
            reason="everything else waited: await asyncio.to_thread for what blocks",
        )
