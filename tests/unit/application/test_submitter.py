"""Accepting jobs: all faults at once, stored whole or not at all, one job for one key."""

from datetime import timedelta

import pytest

from jobmill.application.commands import SubmitJob
from jobmill.application.commits import Commits
from jobmill.application.errors import StorageUnavailable, StorageUnknown
from jobmill.application.handlers import Registry
from jobmill.application.submitter import BATCH_MAX, PAYLOAD_BYTES_MAX, Accepted, Submitter
from jobmill.domain.errors import Fault
from jobmill.domain.options import JobOptions
from jobmill.domain.states import JobState, Priority

from tests.builders import SECOND
from tests.nodes import Node
from tests.unit.application.mailing import handlers, mail, places, refused
from tests.world import World


@pytest.fixture
async def node(world: World) -> Node:
    return world.node(starts=False)


@pytest.fixture
async def submitter(node: Node) -> Submitter:
    commits: Commits = node.commits
    return Submitter(
        commits=commits,
        registry=Registry([handlers]),
        clock=node.clock,
        entropy=node.entropy,
        backlog=node.submitter.backlog,
    )


async def test_a_job_is_stored_by_the_rules_of_its_type(world: World, submitter: Submitter) -> None:
    [accepted] = await submitter.submit([mail()])

    job = world.job(accepted.job)
    assert accepted == Accepted(job=job, replayed=False)
    assert (job.state, job.queue, job.priority, job.payload) == (
        JobState.QUEUED,
        "email",
        Priority.HIGH,
        '{"to":"ada"}',
    )
    assert job.expires_at == world.clock.now() + timedelta(hours=1)


async def test_a_jobs_own_wishes_win(world: World, submitter: Submitter) -> None:
    [accepted] = await submitter.submit(
        [mail(queue="default", priority=Priority.LOW, delay=SECOND, max_attempts=7, tags=("a",))]
    )

    job = accepted.job
    assert (job.state, job.queue, job.priority, job.max_attempts, job.tags) == (
        JobState.SCHEDULED,
        "default",
        Priority.LOW,
        7,
        ("a",),
    )
    assert job.run_at == world.clock.now() + SECOND


async def test_types_are_named_in_any_case(submitter: Submitter) -> None:
    [accepted] = await submitter.submit([SubmitJob(type="MAIL", payload={"to": "ada"})])

    assert accepted.job.type == "mail"


async def test_answers_are_by_position(submitter: Submitter) -> None:
    accepted = await submitter.submit([mail(str(at)) for at in range(20)])

    assert [each.job.payload for each in accepted] == [f'{{"to":"{at}"}}' for at in range(20)]


async def test_all_faults_of_a_command_are_told_at_once(submitter: Submitter) -> None:
    wrong = SubmitJob(
        type="mail",
        payload={"text": 1, "cc": 2},
        options=JobOptions(queue="nowhere", max_attempts=0, tags=("",)),
    )

    assert sorted(await places(submitter, wrong, pointer="")) == [
        "/max_attempts",
        "/payload/cc",
        "/payload/text",
        "/payload/to",
        "/queue",
        "/tags/0",
    ]


async def test_all_faults_of_all_commands_are_told_by_their_places(
    world: World, submitter: Submitter
) -> None:
    faults = await places(
        submitter,
        mail(),
        mail(7),
        SubmitJob(type="nothing", payload={}, options=JobOptions(max_attempts=0)),
        pointer="/jobs/{at}",
    )

    assert sorted(faults) == ["/jobs/1/payload/to", "/jobs/2/max_attempts", "/jobs/2/type"]
    assert world.tables.jobs == {}


async def test_what_could_not_be_read_is_told_with_the_rest(submitter: Submitter) -> None:
    unread = SubmitJob(
        type="mail", payload={}, faults=(Fault(pointer="/delay_s", detail="must be a number, not a text"),)
    )

    assert sorted(await places(submitter, unread, pointer="")) == ["/delay_s", "/payload/to"]


async def test_an_unknown_type_is_told_with_the_known_ones(submitter: Submitter) -> None:
    error = await refused(submitter, SubmitJob(type="nothing", payload={}))

    assert error.code == "unknown-type"
    assert "mail, note" in str(error)


async def test_an_unknown_queue_is_told_with_the_declared_ones(submitter: Submitter) -> None:
    assert "default, email" in str(await refused(submitter, mail(queue="nowhere")))


async def test_a_payload_has_its_size(submitter: Submitter) -> None:
    room = PAYLOAD_BYTES_MAX - len('{"to":""}')
    await submitter.submit([mail(room * "x")])

    error = await refused(submitter, mail((room + 1) * "x"), pointer="")

    assert error.code == "too-large"
    assert [fault.pointer for fault in error.faults] == ["/payload"]


@pytest.mark.parametrize("count", [0, BATCH_MAX + 1])
async def test_a_batch_has_its_size(submitter: Submitter, count: int) -> None:
    assert await places(submitter, *(count * [mail()]), pointer="/jobs/{at}") == ["/jobs"]


@pytest.mark.parametrize("value", ["\ud800", object(), {1, "a", object()}])
async def test_a_payload_that_is_no_json_is_a_fault_of_its_sender(
    submitter: Submitter, value: object
) -> None:
    """A client in this process may hand over anything."""
    error = await refused(submitter, SubmitJob(type="note", payload={"x": value}), pointer="")

    assert [fault.pointer for fault in error.faults] == ["/payload"]


async def test_a_commit_in_doubt_that_was_done_is_no_replay(node: Node, submitter: Submitter) -> None:
    doubts = [StorageUnknown("cut off")]

    def in_doubt(moment: str) -> None:
        if moment == "after jobs.add" and doubts:
            raise doubts.pop()

    node.cable.trouble = in_doubt
    [accepted] = await submitter.submit([mail(idempotency_key="k")])

    assert not accepted.replayed


async def test_a_store_that_is_away_is_told_as_such(node: Node, submitter: Submitter) -> None:
    node.cable.is_cut = True

    with pytest.raises(StorageUnavailable):
        await submitter.submit([mail()])


async def test_a_commit_that_stays_in_doubt_is_never_told_as_failed(node: Node, submitter: Submitter) -> None:
    def in_doubt(moment: str) -> None:
        if moment == "after jobs.add":
            raise StorageUnknown("cut off")

    node.cable.trouble = in_doubt
    with pytest.raises(StorageUnknown):
        await submitter.submit([mail()])
