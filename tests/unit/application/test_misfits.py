"""Jobs that a worker's code cannot run are left to code that can, and no attempt is burnt (B18)."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import evolve, frozen

from jobmill.application.commands import SubmitJob
from jobmill.application.errors import InvalidPayload, StorageUnavailable, UnknownType
from jobmill.application.handlers import JobHandlers, Registry
from jobmill.domain.failure import FailureKind
from jobmill.domain.job import Job
from jobmill.domain.options import JobOptions
from jobmill.domain.states import JobState

from tests.nodes import Node
from tests.unit.application.bench import works_off
from tests.world import World


@frozen
class Small:
    width: int


@frozen
class Large:
    width: int
    height: int


def a_release(payload: type | None, *, ran: list[object] | None = None, **rules: Any) -> Registry:
    """The code of one release; None for one that has no handler for the type."""
    handlers = JobHandlers()

    async def resize(given: object) -> None:
        if ran is not None:
            ran.append(given)

    if payload is not None:
        resize.__annotations__["given"] = payload
        handlers.register("resize", **rules)(resize)
    return Registry([handlers])


Release = Callable[..., Node]


@pytest.fixture
def release(world: World) -> Release:
    """A worker with the code of a release, at work or, with ``starts=False``, only looking."""

    def make(payload: type | None, *, starts: bool = True, **rules: Any) -> Node:
        return world.node(registry=a_release(payload, **rules), shows_types=True, starts=starts)

    return make


async def a_look_of(node: Node) -> Node:
    """The node knows what the others run."""
    assert node.types is not None
    await node.types.begin(works=False)
    return node


async def submitted(world: World, payload: Mapping[str, object], *, by: Registry) -> Job:
    """A job that an API process with this code takes in."""
    api = world.node(concurrency=None, registry=by)
    [accepted] = await api.submitter.submit([SubmitJob(type="resize", payload=payload, options=JobOptions())])
    return accepted.job


def wait_of(world: World, job: Job) -> float:
    retry_at = world.job(job).retry_at
    assert retry_at is not None
    return (retry_at - world.clock.now()).total_seconds()


async def test_a_new_type_is_run_by_the_workers_that_have_it(world: World, release: Release) -> None:
    ran: list[object] = []
    new = a_release(Small)
    release(None)
    release(None)
    release(Small, ran=ran)
    await world.passes(1)

    jobs = [await submitted(world, {"width": width}, by=new) for width in range(10)]
    await world.passes(120)

    assert {world.job(job).state for job in jobs} == {JobState.SUCCEEDED}
    assert {world.job(job).attempt for job in jobs} == {1}
    assert len(ran) == len(jobs)


async def test_an_unknown_type_comes_again_soon_while_somebody_runs_it(
    world: World, release: Release
) -> None:
    release(Small)
    await world.passes(1)
    old = await a_look_of(release(None, starts=False))

    waits = []
    for postpones in (0, 2, 3, 9, 12, 100):
        job = world.has(type="resize", postpones=postpones)
        await old.claimer.claim([job])
        waits.append(wait_of(world, job))

    assert waits == [1, 1, 2, 8, 15, 15]


async def test_a_changed_payload_is_run_by_the_workers_that_read_it(world: World, release: Release) -> None:
    """Nobody raised the version, so only the schemas tell the two apart."""
    ran: list[object] = []
    release(Small)
    release(Large, ran=ran)
    await world.passes(1)

    jobs = [await submitted(world, {"width": 1, "height": at}, by=a_release(Large)) for at in range(10)]
    await world.passes(120)

    assert {world.job(job).state for job in jobs} == {JobState.SUCCEEDED}
    assert {world.job(job).attempt for job in jobs} == {1}
    assert len(ran) == len(jobs)


async def test_a_worker_that_started_a_moment_ago_counts_too(world: World, release: Release) -> None:
    """The board of the old worker is older than the new one; a failed decoding looks once more."""
    old = await a_look_of(release(Small, starts=False))
    release(Large)
    await world.passes(2)
    job = world.has(type="resize", payload='{"width":1,"height":2}')

    [run] = (await old.claimer.claim([job])).runs
    await works_off(old, run)

    row = world.job(job)
    assert (row.state, row.attempt, row.postpones) == (JobState.RETRYING, 0, 1)
    assert wait_of(world, job) == 1
    assert row.error is not None
    assert "/payload/height" in row.error


async def test_leaving_a_job_to_other_code_never_counts(world: World, release: Release) -> None:
    release(Large)
    await world.passes(1)
    old = await a_look_of(release(Small, starts=False))
    job = world.has(type="resize", payload='{"width":1,"height":2}', postpones=100)

    [run] = (await old.claimer.claim([job])).runs
    await works_off(old, run)

    row = world.job(job)
    assert (row.state, row.attempt, row.postpones) == (JobState.RETRYING, 0, 100)


async def test_a_payload_that_nobody_reads_fails_for_good_with_its_place(
    world: World, release: Release
) -> None:
    release(Small)
    await world.passes(1)
    node = await a_look_of(release(Large, starts=False))
    job = world.has(type="resize", payload='{"width":"1","height":2}')

    [run] = (await node.claimer.claim([job])).runs
    await works_off(node, run)

    row = world.job(job)
    assert (row.state, row.error_kind) == (JobState.FAILED, FailureKind.PERMANENT)
    assert row.error is not None
    assert "/payload/width" in row.error


async def test_while_the_store_cannot_tell_who_lives_nothing_fails_for_good(
    world: World, release: Release
) -> None:
    node = release(Large, starts=False)
    job = world.has(type="resize", payload='{"width":1}')
    [run] = (await node.claimer.claim([job])).runs

    def no_types(moment: str) -> None:
        if "types." in moment:
            raise StorageUnavailable("the cable is cut")

    node.cable.trouble = no_types
    await works_off(node, run)

    row = world.job(job)
    assert (row.state, row.attempt, row.postpones) == (JobState.RETRYING, 0, 1)


async def test_a_payload_newer_than_the_code_waits_for_newer_code(world: World, release: Release) -> None:
    node = release(Small, starts=False)
    job = world.has(type="resize", payload='{"width":1,"height":2}', payload_version=2)

    assert (await node.claimer.claim([job])).runs == []

    row = world.job(job)
    assert (row.state, row.attempt) == (JobState.RETRYING, 0)
    assert wait_of(world, job) == 15
    assert row.error == "the payload is of version 2, and the code here reads 1 to 1"


async def test_it_comes_again_soon_while_newer_code_runs(world: World, release: Release) -> None:
    release(Large, version=2)
    await world.passes(1)
    node = await a_look_of(release(Small, starts=False))
    job = world.has(type="resize", payload='{"width":1,"height":2}', payload_version=2)

    assert (await node.claimer.claim([job])).runs == []
    assert wait_of(world, job) == 1


async def test_a_payload_too_old_is_left_to_the_old_workers_and_fails_after_them(
    world: World, release: Release
) -> None:
    old = release(Small)
    await world.passes(1)
    new = await a_look_of(release(Large, version=2, starts=False))
    job = world.has(type="resize", payload='{"width":1}', payload_version=1)
    assert (await new.claimer.claim([job])).runs == []
    assert wait_of(world, job) == 1

    await old.stop()
    await a_look_of(new)
    job = world.has(type="resize", payload='{"width":1}', payload_version=1)
    [run] = (await new.claimer.claim([job])).runs
    await works_off(new, run)

    row = world.job(job)
    assert row.state is JobState.FAILED
    assert row.error is not None
    assert "upcasters={1: …}" in row.error


async def test_waiting_jobs_of_an_old_version_are_upcast(world: World, release: Release) -> None:
    ran: list[object] = []
    job = await submitted(world, {"width": 3}, by=a_release(Small))
    release(Large, ran=ran, version=2, upcasters={1: lambda old: {**old, "height": old["width"]}})

    await world.passes(30)

    assert world.job(job).state is JobState.SUCCEEDED
    assert ran == [Large(width=3, height=3)]


async def test_a_dead_job_of_an_old_version_is_requeued_as_it_is_or_edited_as_the_new_one(
    world: World, release: Release
) -> None:
    node = release(Large, version=2, upcasters={1: lambda old: {**old, "height": 9}}, starts=False)
    kept, edited = (
        world.has(JobState.FAILED, type="resize", payload='{"width":1}', payload_version=1) for _ in range(2)
    )

    again = await node.operator.requeue(kept.id)
    changed = await node.operator.requeue(edited.id, payload={"width": 1, "height": 2})
    with pytest.raises(InvalidPayload):
        await node.operator.requeue(kept.id, payload={"width": 1})

    assert (again.payload_version, again.payload) == (1, '{"width":1}')
    assert (changed.payload_version, changed.payload) == (2, '{"width":1,"height":2}')


async def test_a_process_without_the_code_takes_jobs_by_the_stored_types(
    world: World, release: Release
) -> None:
    release(Large, queue="default", version=2)
    await world.passes(1)
    api = release(None, starts=False)
    command = SubmitJob(type="Resize", payload={"width": 1, "height": 2}, options=JobOptions())

    [accepted] = await api.submitter.submit([command])

    assert (accepted.job.type, accepted.job.payload_version) == ("resize", 2)
    with pytest.raises(InvalidPayload, match="/payload/height: is required"):
        await api.submitter.submit([evolve(command, payload={"width": 1})])
    with pytest.raises(UnknownType, match="known types: resize"):
        await api.submitter.submit([evolve(command, type="email")])
