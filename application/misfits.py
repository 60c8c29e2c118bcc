"""Jobs that this worker's code cannot run, as in every deploy, and how long they wait for other code."""

from datetime import timedelta
from typing import Final

from attrs import frozen

from jobmill.application.handlers import JobType, Registry
from jobmill.application.type_board import Elsewhere
from jobmill.application.type_keeper import TypeKeeper
from jobmill.domain.job import Job

#: While a living worker can run the job, its notice comes again soon, perhaps to that one. Whom it reaches is
#: chance, so the wait is doubled only every third time: a few bad throws shall not make it long.
SOON: Final = timedelta(seconds=1)
SOON_MAX: Final = timedelta(seconds=15)
#: While nobody can, it waits for a worker that is yet to come; doubled each time.
LATE: Final = timedelta(seconds=15)
LATE_MAX: Final = timedelta(minutes=10)
_SOON_THROWS: Final = 3
_DOUBLINGS_MAX: Final = 10


@frozen(kw_only=True)
class Misfit:
    """A job to be left to other code.

    Args:
        wait: until its notice comes again.
        reason: for people.
        is_bounded: after a hundred times the attempt counts, since nobody is sure to be able to run it.
    """

    wait: timedelta
    reason: str
    is_bounded: bool = False


def misfit_before_claim(job: Job, registry: Registry) -> Misfit | None:
    """Judge a job by its type and the version of its payload, which costs nothing.

    Returns:
        None where this worker shall start it: also where its payload is too old for all code that runs, so
        that it fails and says so. One that is too new waits: the code for it is on its way.
    """
    declared = registry.find(job.type)
    if declared is None:
        reason = f"no handler for the type {job.type!r} here"
        return Misfit(wait=_wait(job, is_soon=registry.board.is_run(job.type)), reason=reason)
    if declared.reads(job.payload_version):
        return None
    there = _elsewhere(job, declared, registry)
    if there is Elsewhere.NO and job.payload_version < declared.reads_from:
        return None
    own = f"{declared.reads_from} to {declared.rules.payload_version}"
    reason = f"the payload is of version {job.payload_version}, and the code here reads {own}"
    return Misfit(wait=_wait(job, is_soon=there is not Elsewhere.NO), reason=reason)


async def misfit_after_claim(
    job: Job, detail: str, registry: Registry, types: TypeKeeper | None
) -> Misfit | None:
    """Judge a job whose payload could not be decoded here. The store is asked first who lives.

    Args:
        detail: what the decoder said.

    Returns:
        None where no living worker can read it either.
    """
    is_known = types is None or await types.look()
    there = _elsewhere(job, registry.named(job.type), registry)
    if there is Elsewhere.NO and is_known:
        return None
    reason = f"another worker's code may read the payload, the code here cannot: {detail}"
    return Misfit(wait=_wait(job, is_soon=True), reason=reason, is_bounded=there is not Elsewhere.SURELY)


def _elsewhere(job: Job, declared: "JobType[object]", registry: Registry) -> Elsewhere:
    own_hash = declared.schema_hash
    return registry.board.reads_elsewhere(
        job.type, job.payload, version=job.payload_version, own_hash=own_hash
    )


def _wait(job: Job, *, is_soon: bool) -> timedelta:
    first, longest = (SOON, SOON_MAX) if is_soon else (LATE, LATE_MAX)
    steps = job.postpones // _SOON_THROWS if is_soon else job.postpones
    doubled: int = 2 ** min(steps, _DOUBLINGS_MAX)
    return min(first * doubled, longest)
