"""Outcomes that are settled together: one statement, and none pays for another."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import pytest
from attrs import evolve, frozen

from jobmill.application.errors import StorageRefused
from jobmill.application.outcomes import Postponed, Stopped, Succeeded
from jobmill.application.ports.job_repository import AddAnswer, JobRepository, NewJob, SaveAnswer
from jobmill.application.run import Run
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.transition import Transition

from tests.nodes import Node
from tests.world import World

DONE = Succeeded(result=None)


@pytest.fixture
async def node(world: World) -> Node:
    return world.node(starts=False)


async def three_run(world: World, node: Node) -> list[Run]:
    jobs = [world.has() for _ in range(3)]
    runs = list((await node.claimer.claim(jobs)).runs)
    node.keeper.watch(runs)
    return runs


def states(world: World, runs: Sequence[Run]) -> list[JobState]:
    return [world.job(run.job).state for run in runs]


async def test_they_are_saved_by_one_statement_and_their_leases_kept_no_longer(
    world: World, node: Node
) -> None:
    runs = await three_run(world, node)
    statements: list[str] = []
    node.cable.trouble = statements.append

    await node.runner.settle([(run, DONE) for run in runs])

    assert states(world, runs) == [JobState.SUCCEEDED] * 3
    assert statements == ["before jobs.save", "after jobs.save"]
    assert node.keeper.runs == ()


@frozen
class Picky(JobRepository):
    """Can hold whatever it is given but for one job."""

    real: JobRepository
    hated: UUID

    async def add(self, units: Sequence[Sequence[NewJob]]) -> Sequence[Sequence[AddAnswer]]:
        return await self.real.add(units)

    async def get(self, job_ids: Sequence[UUID]) -> Sequence[Job | None]:
        return await self.real.get(job_ids)

    async def save(self, transitions: Sequence[Transition]) -> Sequence[SaveAnswer]:
        if any(move.job.id == self.hated for move in transitions):
            raise StorageRefused("a value that no store can hold")
        return await self.real.save(transitions)


async def test_an_outcome_that_the_store_cannot_hold_costs_only_itself(world: World, node: Node) -> None:
    runs = await three_run(world, node)
    cast("Any", node.commits)._jobs = Picky(node.store.jobs, runs[1].job.id)

    await node.runner.settle([(run, DONE) for run in runs])

    assert states(world, runs) == [JobState.SUCCEEDED, JobState.PROCESSING, JobState.SUCCEEDED]
    assert "outcome refused" in node.notes.names


async def test_an_outcome_that_comes_too_late_costs_only_itself(world: World, node: Node) -> None:
    runs = await three_run(world, node)
    row = world.job(runs[0].job)
    world.tables.jobs[row.id] = evolve(row, version=row.version + 2, stamp=5, attempt=2)

    await node.runner.settle([(run, DONE) for run in runs])

    assert states(world, runs) == [JobState.PROCESSING, JobState.SUCCEEDED, JobState.SUCCEEDED]
    assert node.notes.names.count("outcome refused") == 1


async def test_an_outcome_that_its_job_does_not_allow_costs_only_itself(world: World, node: Node) -> None:
    runs = await three_run(world, node)

    await node.runner.settle([(runs[0], DONE), (runs[1], Stopped()), (runs[2], DONE)])

    assert states(world, runs) == [JobState.SUCCEEDED, JobState.PROCESSING, JobState.SUCCEEDED]
    assert "outcome not possible" in node.notes.names


async def test_what_was_asked_to_stop_meanwhile_is_cancelled(world: World, node: Node) -> None:
    runs = await three_run(world, node)
    await world.client.operator.cancel(runs[2].job.id)

    back = Postponed(wait=None, reason="the worker shut down")
    await node.runner.settle([(run, back) for run in runs])

    assert states(world, runs) == [JobState.QUEUED, JobState.QUEUED, JobState.CANCELLED]


async def test_what_has_no_outcome_is_let_go_of(world: World, node: Node) -> None:
    runs = await three_run(world, node)

    await node.runner.settle([(run, None) for run in runs])

    assert states(world, runs) == [JobState.PROCESSING] * 3
    assert node.keeper.runs == ()
