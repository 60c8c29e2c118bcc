"""What a person does to a job: cancel, requeue, discard, mend."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from jobmill.application.errors import (
    InvalidPayload,
    JobNotFound,
    StaleJob,
    StorageUnavailable,
    StorageUnknown,
    TooLarge,
)
from jobmill.application.handlers import JobContext
from jobmill.application.operator import Operator
from jobmill.domain.errors import IllegalTransition
from jobmill.domain.job import Job
from jobmill.domain.states import TERMINAL, JobState
from jobmill.domain.transition import Transition

from tests.builders import SECOND, an_id, succeeded
from tests.nodes import Node
from tests.world import World


@pytest.fixture
async def node(world: World) -> Node:
    return world.node(starts=False)


@pytest.fixture
async def operator(node: Node) -> Operator:
    operator: Operator = node.operator
    return operator


def moves_before_each_save(world: World, node: Node, job: Job, times: int) -> None:
    """Let somebody else move the job right before our statement."""
    left = [1] * times

    def trouble(moment: str) -> None:
        if moment == "before jobs.save" and left:
            left.pop()
            row = world.job(job)
            moved = row.defer(SECOND, "x", now=world.clock.now(), stamp=row.version)
            world.tables.jobs[row.id] = moved.job

    node.cable.trouble = trouble


# ---- cancel


@pytest.mark.parametrize("state", [JobState.SCHEDULED, JobState.QUEUED, JobState.RETRYING])
async def test_a_job_that_has_not_started_is_taken_back(
    world: World, operator: Operator, state: JobState
) -> None:
    job = world.has(state)

    assert (await operator.cancel(job.id)).state is JobState.CANCELLED
    assert world.job(job).state is JobState.CANCELLED


async def test_a_running_job_is_asked_to_stop_without_a_new_version(world: World, operator: Operator) -> None:
    job = world.has(JobState.PROCESSING)

    answer = await operator.cancel(job.id)

    assert (answer.state, answer.stop_asked) == (JobState.PROCESSING, True)
    row = world.job(job)
    assert (row.stop_asked, row.version) == (True, job.version)


@pytest.mark.parametrize("state", sorted(TERMINAL, key=str))
async def test_what_is_over_cannot_be_cancelled(world: World, operator: Operator, state: JobState) -> None:
    with pytest.raises(IllegalTransition):
        await operator.cancel(world.has(state).id)


async def test_a_cancel_that_meets_another_move_is_tried_again(
    world: World, node: Node, operator: Operator
) -> None:
    job = world.has()
    moves_before_each_save(world, node, job, times=2)

    assert (await operator.cancel(job.id)).state is JobState.CANCELLED


async def test_a_cancel_that_always_meets_another_move_gives_up(
    world: World, node: Node, operator: Operator
) -> None:
    job = world.has()
    moves_before_each_save(world, node, job, times=3)

    with pytest.raises(StaleJob):
        await operator.cancel(job.id)


async def test_a_job_that_ends_while_it_is_asked_to_stop_is_told_so(
    world: World, node: Node, operator: Operator
) -> None:
    job = world.has(JobState.PROCESSING)

    def ends(moment: str) -> None:
        if moment == "before leases.ask_to_stop":
            world.tables.jobs[job.id] = job.succeed(result=None, now=world.clock.now(), stamp=1).job

    node.cable.trouble = ends
    with pytest.raises(IllegalTransition):
        await operator.cancel(job.id)


async def test_a_running_handler_stops_within_a_renewal() -> None:
    async def work(_payload: Mapping[str, Any], _context: JobContext) -> object:
        await asyncio.sleep(100)
        return None

    world = World(work=work)
    worker = world.node()
    job = await world.submit()
    await world.passes(2)

    await world.client.operator.cancel(job.id)
    await world.passes(7)

    assert world.job(job).state is JobState.CANCELLED
    assert worker.consumer.running == 0


# ---- requeue and discard


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.EXPIRED, JobState.CANCELLED])
async def test_what_died_or_was_cancelled_starts_over(
    world: World, operator: Operator, state: JobState
) -> None:
    job = world.has(state, attempt=3, payload='{"a":1}')

    await operator.requeue(job.id)

    row = world.job(job)
    assert (row.state, row.attempt, row.payload, row.edition) == (JobState.QUEUED, 0, '{"a":1}', 0)
    assert len(world.tables.outbox) == 1


async def test_an_edited_payload_makes_a_new_edition(world: World, operator: Operator) -> None:
    job = world.has(JobState.FAILED)

    await operator.requeue(job.id, payload={"b": 2})

    row = world.job(job)
    assert (row.payload, row.edition, row.handler_key) == ('{"b":2}', 1, f"{row.id}:1")


async def test_an_edited_payload_is_checked_like_any_other(world: World, operator: Operator) -> None:
    job = world.has(JobState.FAILED)

    with pytest.raises(InvalidPayload):
        await operator.requeue(job.id, payload=[1])
    with pytest.raises(TooLarge):
        await operator.requeue(job.id, payload={"x": 11_000 * "x"})
    assert world.job(job) == job


@pytest.mark.parametrize("state", sorted({*JobState} - TERMINAL | {JobState.SUCCEEDED}, key=str))
async def test_only_what_died_or_was_cancelled_can_start_over(
    world: World, operator: Operator, state: JobState
) -> None:
    with pytest.raises(IllegalTransition):
        await operator.requeue(world.has(state).id)


async def test_a_dead_letter_is_put_away(world: World, operator: Operator) -> None:
    job = world.has(JobState.FAILED)

    assert (await operator.discard(job.id)).state is JobState.DISCARDED
    with pytest.raises(IllegalTransition):
        await operator.requeue(job.id)


@pytest.mark.parametrize("verb", ["cancel", "requeue", "discard"])
async def test_an_unknown_job_is_told_so(operator: Operator, verb: str) -> None:
    with pytest.raises(JobNotFound):
        await getattr(operator, verb)(an_id())


@pytest.mark.parametrize("verb", ["requeue", "discard"])
async def test_two_people_at_once_are_told_who_was_second(
    world: World, operator: Operator, verb: str
) -> None:
    job = world.has(JobState.FAILED)

    answers = await asyncio.gather(
        *(getattr(operator, verb)(job.id) for _ in range(2)), return_exceptions=True
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["Job", "StaleJob"]


async def test_a_move_in_doubt_is_told_as_unknown(world: World, node: Node, operator: Operator) -> None:
    def in_doubt(moment: str) -> None:
        if moment == "after jobs.save":
            raise StorageUnknown("cut off")

    node.cable.trouble = in_doubt
    with pytest.raises(StorageUnknown):
        await operator.discard(world.has(JobState.FAILED).id)


async def test_nobody_waits_longer_than_he_has_to(world: World, node: Node, operator: Operator) -> None:
    """Although outcomes of handlers, offered for a minute, stand before it in the group."""
    job = world.has(JobState.FAILED)

    def away(moment: str) -> None:
        if moment == "before jobs.save":
            raise StorageUnavailable("away")

    node.cable.trouble = away
    outcome = asyncio.ensure_future(_saved(node, succeeded(world.has(JobState.PROCESSING))))
    await world.turns()
    with pytest.raises(StorageUnavailable):
        await operator.discard(job.id)

    assert asyncio.get_running_loop().time() < 10
    outcome.cancel()


async def _saved(node: Node, move: Transition) -> object:
    return await node.commits.save([move], within_s=60)
