"""Every write of jobs: grouped, observed, announced, and answered by position."""

import asyncio

import pytest
from attrs import evolve

from jobmill.application.commits import Commits
from jobmill.application.errors import StorageRefused, StorageUnavailable, StorageUnknown
from jobmill.application.ports.job_repository import (
    Conflicting,
    NewJob,
    Saved,
    Stale,
    Stored,
    Unknown,
    Withheld,
)
from jobmill.application.ports.outbox import Notice
from jobmill.domain.idempotency import KeyClaim
from jobmill.domain.job import Job
from jobmill.domain.states import Fact, JobState, Target
from jobmill.domain.transition import Transition

from tests.builders import SECOND, a_job, a_submitted_job, failed, started, succeeded
from tests.nodes import Node
from tests.world import World


@pytest.fixture
async def node(world: World) -> Node:
    return world.node(starts=False)


@pytest.fixture
async def heard(node: Node) -> list[Notice]:
    """What is announced, in order."""
    heard: list[Notice] = []
    node.commits = Commits(
        jobs=node.store.jobs, entropy=node.entropy, observer=node.notes, announce=heard.extend
    )
    return heard


def start(world: World, job: Job) -> Transition:
    return started(job, now=world.clock.now())


async def test_stored_jobs_are_observed_and_the_queued_ones_announced(
    world: World, node: Node, heard: list[Notice]
) -> None:
    now = a_job(now=world.clock.now())
    later = a_submitted_job(now=world.clock.now(), delay=SECOND)

    answers = await node.commits.add([NewJob(job=now), NewJob(job=later)])

    assert answers == [Stored(job=now), Stored(job=later)]
    assert node.notes.facts == [Fact.SUBMITTED, Fact.SUBMITTED]
    assert heard == [Notice(row=now.stamp, job=now, target=Target.QUEUE)]
    assert set(world.tables.outbox) == {now.stamp}


async def test_what_is_not_stored_is_neither_observed_nor_announced(
    node: Node, heard: list[Notice], world: World
) -> None:
    key = KeyClaim(scope="s", key="k", fingerprint="one")
    await node.commits.add([NewJob(job=a_job(), keys=(key,))])
    heard.clear()
    node.notes.facts.clear()

    other = NewJob(job=a_job(), keys=(evolve(key, fingerprint="two"),))
    answers = await node.commits.add([other, NewJob(job=a_job())])

    assert [type(answer) for answer in answers] == [Conflicting, Withheld]
    assert (heard, node.notes.facts) == ([], [])


async def test_two_callers_of_one_key_are_told_one_after_the_other(node: Node, heard: list[Notice]) -> None:
    key = KeyClaim(scope="s", key="k", fingerprint="same")
    units = [[NewJob(job=a_job(), keys=(key,))] for _ in range(5)]

    answers = await asyncio.gather(*(node.commits.add(unit) for unit in units))

    assert len({answer[0].job.id for answer in answers}) == 1  # type: ignore[union-attr]
    assert len(heard) == 1


async def test_saved_moves_are_observed_and_announced_with_the_row_of_their_stamp(
    world: World, node: Node, heard: list[Notice]
) -> None:
    job = world.has(JobState.PROCESSING)
    move = failed(job, now=world.clock.now())

    [answer] = await node.commits.save([move])

    assert isinstance(answer, Saved)
    assert node.notes.facts == [Fact.RETRY_SCHEDULED]
    assert heard == [Notice(row=move.job.stamp, job=answer.job, target=Target.LADDER)]
    assert set(world.tables.outbox) == {move.job.stamp}


async def test_moves_without_a_notice_announce_nothing(world: World, node: Node, heard: list[Notice]) -> None:
    await node.commits.save([succeeded(world.has(JobState.PROCESSING))])

    assert heard == []


async def test_answers_are_by_position(world: World, node: Node, heard: list[Notice]) -> None:
    fine, moved, gone = world.has(), world.has(version=7), a_job()

    answers = await node.commits.save(
        [start(world, evolve(moved, version=6)), start(world, fine), start(world, gone)]
    )

    assert [type(answer) for answer in answers] == [Stale, Saved, Stale]
    assert node.notes.facts == [Fact.STARTED]


async def test_two_moves_of_one_job_do_not_share_a_statement(world: World, node: Node) -> None:
    """Each is answered for itself: one wins, and the other is told so."""
    job = world.has()
    one, two = start(world, job), start(world, job)
    statements: list[str] = []
    node.cable.trouble = statements.append

    [first], [second] = await asyncio.gather(node.commits.save([one]), node.commits.save([two]))

    assert (type(first), type(second)) == (Saved, Stale)
    assert statements.count("before jobs.save") == 2


async def test_claims_do_not_wait_behind_outcomes_that_are_tried_again(world: World, node: Node) -> None:
    outcome = succeeded(world.has(JobState.PROCESSING))
    job = world.has()
    fails = [StorageUnavailable("away")]

    def fails_once(moment: str) -> None:
        if moment == "before jobs.save" and fails:
            raise fails.pop()

    node.cable.trouble = fails_once
    saving = asyncio.create_task(_wait(node, outcome))
    await world.turns()

    [answer] = await node.commits.claim([start(world, job)], within_s=5)

    assert isinstance(answer, Saved)
    assert not saving.done()
    await saving


async def test_what_stays_in_doubt_is_unknown(world: World, node: Node, heard: list[Notice]) -> None:
    def in_doubt(moment: str) -> None:
        if moment == "after jobs.save":
            raise StorageUnknown("cut off")

    node.cable.trouble = in_doubt
    job = world.has(JobState.PROCESSING)

    assert await node.commits.save([failed(job)]) == [Unknown(job_id=job.id)]
    assert (heard, node.notes.facts) == ([], [])


async def test_who_must_be_sure_is_told_by_an_error(world: World, node: Node) -> None:
    def in_doubt(moment: str) -> None:
        if moment == "after jobs.save":
            raise StorageUnknown("cut off")

    node.cable.trouble = in_doubt
    with pytest.raises(StorageUnknown):
        await node.commits.save_surely([failed(world.has(JobState.PROCESSING))])


async def test_a_save_in_doubt_that_was_done_is_announced_once(
    world: World, node: Node, heard: list[Notice]
) -> None:
    doubts = [StorageUnknown("cut off"), StorageUnknown("cut off")]

    def in_doubt(moment: str) -> None:
        if moment == "after jobs.save" and doubts:
            raise doubts.pop()

    node.cable.trouble = in_doubt
    [answer] = await node.commits.save([failed(world.has(JobState.PROCESSING))])

    assert isinstance(answer, Saved)
    assert len(heard) == len(node.notes.facts) == 1


async def test_surely_nothing_done_is_an_error(world: World, node: Node) -> None:
    node.cable.is_cut = True

    with pytest.raises(StorageUnavailable):
        await node.commits.save([failed(world.has(JobState.PROCESSING))])


async def test_a_move_that_no_store_holds_is_refused_alone(world: World, node: Node) -> None:
    jobs = [world.has(JobState.PROCESSING) for _ in range(5)]
    moves = [succeeded(job, result="1") for job in jobs]
    moves[2] = evolve(moves[2], job=evolve(moves[2].job, result="\0"))

    answers = await node.commits.save(moves)

    assert [type(answer) for answer in answers] == [Saved, Saved, Stale, Saved, Saved]
    assert node.notes.names == ["transition refused by the store"]
    assert world.job(jobs[2]) == jobs[2]


async def test_a_store_that_goes_away_during_the_search_costs_no_answer(world: World, node: Node) -> None:
    """Some are saved by then, so nobody may be told that surely nothing was."""
    jobs = [world.has(JobState.PROCESSING) for _ in range(2)]
    seen: list[int] = []

    def trouble(moment: str) -> None:
        if moment == "before jobs.save":
            seen.append(1)
            if len(seen) == 1:
                raise StorageRefused("one of you")
            if len(seen) > 2:
                raise StorageUnavailable("away")

    node.cable.trouble = trouble
    node.commits._saves._limits = evolve(node.commits._saves._limits, batch=1)
    answers = await node.commits.save([succeeded(job) for job in jobs])

    assert [type(answer) for answer in answers] == [Saved, Unknown]


async def test_looks_are_grouped_and_answered_by_position(world: World, node: Node) -> None:
    job, other = world.has(), world.has()
    statements: list[str] = []
    node.cable.trouble = statements.append

    first, second = await asyncio.gather(
        node.commits.look([job.id, a_job().id]), node.commits.look([other.id, job.id])
    )

    assert (list(first), list(second)) == ([job, None], [other, job])
    assert statements == ["before jobs.get", "after jobs.get"]


async def test_draining_waits_for_every_write(world: World, node: Node) -> None:
    writing = [asyncio.create_task(_wait(node, succeeded(world.has(JobState.PROCESSING)))) for _ in range(3)]
    await asyncio.sleep(0)

    await node.commits.drain()
    await asyncio.sleep(0)

    assert all(task.done() for task in writing)


async def _wait(node: Node, move: Transition) -> object:
    return await node.commits.save([move])
