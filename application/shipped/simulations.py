"""The job type ``simulate``: work that takes a while and fails when asked to."""

import asyncio
from collections.abc import Iterator
from typing import Final, Literal, assert_never

from attrs import frozen

from jobmill.application.handlers import JobContext, JobHandlers, PermanentFailure, TransientFailure
from jobmill.application.ports.clock import Entropy
from jobmill.application.ports.providers import Crash
from jobmill.application.shipped.field_faults import refuse

DURATION_S_MAX: Final = 86_400

FailureWish = Literal["transient", "permanent", "timeout", "crash"]


@frozen(kw_only=True)
class Simulation:
    """Pretended work: how long it takes, which attempts fail, and how."""

    duration_s: float = 0.05
    fail_first: int = 0
    failure_rate: float = 0.0
    failure: FailureWish = "transient"

    def __attrs_post_init__(self) -> None:
        """Refuse numbers out of their range."""
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        if not 0 <= self.duration_s <= DURATION_S_MAX:
            yield f"'duration_s' must be from 0 to {DURATION_S_MAX} seconds"
        if self.fail_first < 0:
            yield "'fail_first' must be 0 or more: so many attempts fail before one can succeed"
        if not 0 <= self.failure_rate <= 1:
            yield "'failure_rate' must be from 0, never, to 1, always"


def simulate_handlers(*, entropy: Entropy, crash: Crash) -> JobHandlers:
    """Return the type ``simulate``.

    Args:
        entropy: decides by ``failure_rate`` which attempts fail.
        crash: ends the process, for the failure of that name.
    """
    handlers = JobHandlers()

    @handlers.register("simulate", queue="simulate")
    async def simulate(work: Simulation, job: JobContext) -> dict[str, float]:
        await asyncio.sleep(work.duration_s)
        if job.attempt <= work.fail_first or entropy.fraction() < work.failure_rate:
            await _fail(work.failure, crash)
        return {"duration_s": work.duration_s}

    return handlers


async def _fail(failure: FailureWish, crash: Crash) -> None:
    match failure:
        case "transient":
            raise TransientFailure("simulated failure")
        case "permanent":
            raise PermanentFailure("simulated failure (permanent)")
        case "timeout":
            # Whoever runs the attempt ends it at its deadline, like any handler that hangs.
            await asyncio.get_running_loop().create_future()
        case "crash":
            crash()
        case _:
            assert_never(failure)
