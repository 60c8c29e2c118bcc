"""The store fails over to a standby that had not got the last commits: history is lost, and made again."""

import asyncio
from typing import Any, TypeVar
from uuid import UUID

from attrs import evolve, frozen

from jobmill.adapters.memory.tables import Effect, EpochRow, KeyRow, OutboxRow, RoleRow
from jobmill.domain.job import Job

from tests.simulation.registry import fault
from tests.simulation.stage import Stage

Key = TypeVar("Key")
Row = TypeVar("Row")


@frozen(kw_only=True)
class _Standby:
    """The tables as they were at a moment."""

    jobs: dict[UUID, Job]
    keys: dict[tuple[str, str], KeyRow]
    outbox: dict[int, OutboxRow]
    history: dict[UUID, list[Any]]
    effects: list[Effect]
    roles: dict[str, RoleRow]
    epoch: EpochRow

    @classmethod
    def of(cls, stage: Stage) -> "_Standby":
        tables = stage.watched
        return cls(
            jobs=dict(tables.jobs),
            keys=dict(tables.keys),
            outbox=dict(tables.outbox),
            history={job_id: list(kept) for job_id, kept in tables.history.items()},
            effects=list(tables.effects),
            roles=dict(tables.roles),
            epoch=evolve(tables.epoch),
        )


@fault(lambda dice: {"lost_s": dice.choice((0.3, 2.0, 6.0))})
def fails_over(stage: Stage, lost_s: float) -> None:
    """From now on commits reach the primary only, and then it is gone."""
    standby = _Standby.of(stage)
    asyncio.get_running_loop().call_later(lost_s, _take_over, stage, standby)


def _take_over(stage: Stage, standby: _Standby) -> None:
    """Put the old rows back. Not promised: accepted jobs, and one run at a time for the length of a lease."""
    if stage.is_peace:
        return
    tables = stage.watched
    stage.witness.fault("failover lost commits")
    stage.witness.clock_jumped()
    stage.has_failed_over = True
    stage.rewound |= {job_id for job_id, job in tables.jobs.items() if standby.jobs.get(job_id) != job}
    for job_id in stage.accepted.keys() - standby.jobs.keys():
        del stage.accepted[job_id]
    stage.keyed = {key: job_id for key, job_id in stage.keyed.items() if job_id in standby.jobs}
    _put_back(tables.jobs, standby.jobs)
    _put_back(tables.keys, standby.keys)
    _put_back(tables.outbox, standby.outbox)
    _put_back(tables.history, standby.history)
    _put_back(tables.roles, standby.roles)
    tables.effects[:] = standby.effects
    tables.epoch = standby.epoch
    # A queued job's notice may have been used up by its lost history.
    stage.witness.lost |= {job.fence for job in standby.jobs.values()}


def _put_back(rows: dict[Key, Row], old: dict[Key, Row]) -> None:
    """Past the witness: this is no write of ours."""
    dict.clear(rows)
    dict.update(rows, old)
