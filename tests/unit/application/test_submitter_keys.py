"""One key, one job: replays, conflicts, and who may meet whom."""

from datetime import timedelta

import pytest

from jobmill.application.commands import SubmitJob
from jobmill.application.commits import Commits
from jobmill.application.errors import IdempotencyConflict
from jobmill.application.handlers import Registry
from jobmill.application.submitter import Submitter
from jobmill.domain.options import JobOptions, Unique
from jobmill.domain.states import Priority

from tests.nodes import Node
from tests.unit.application.mailing import handlers, mail, refused
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


async def test_a_key_makes_one_job(world: World, submitter: Submitter) -> None:
    [first] = await submitter.submit([mail(idempotency_key="k")])
    [again] = await submitter.submit([mail(idempotency_key="k")])

    assert (first.replayed, again.replayed) == (False, True)
    assert first.job.id == again.job.id
    assert len(world.tables.jobs) == 1


async def test_the_order_of_names_makes_no_other_request(submitter: Submitter) -> None:
    payloads = ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})
    options = JobOptions(idempotency_key="k")
    answers = [await submitter.submit([SubmitJob(type="note", payload=p, options=options)]) for p in payloads]

    assert answers[1][0].replayed


@pytest.mark.parametrize(
    "other",
    [
        mail("bob", idempotency_key="k"),
        mail(idempotency_key="k", priority=Priority.LOW),
        mail(idempotency_key="k", delay=timedelta(0)),
        mail(idempotency_key="k", unique=Unique(key="u")),
        SubmitJob(type="note", payload={"to": "ada"}, options=JobOptions(idempotency_key="k")),
    ],
)
async def test_another_request_under_a_key_is_refused(
    world: World, submitter: Submitter, other: SubmitJob
) -> None:
    [first] = await submitter.submit([mail(idempotency_key="k")])

    with pytest.raises(IdempotencyConflict) as error:
        await submitter.submit([other])

    assert (error.value.key, error.value.job_id) == ("k", first.job.id)
    assert len(world.tables.jobs) == 1


async def test_keys_of_different_clients_never_meet(world: World, submitter: Submitter) -> None:
    await submitter.submit([mail("ada", idempotency_key="k")], client="one")
    await submitter.submit([mail("bob", idempotency_key="k")], client="two")

    assert len(world.tables.jobs) == 2


async def test_a_conflict_in_a_batch_stores_nothing_of_it(world: World, submitter: Submitter) -> None:
    await submitter.submit([mail(idempotency_key="k")])

    with pytest.raises(IdempotencyConflict):
        await submitter.submit(
            [mail("x"), mail("bob", idempotency_key="k"), mail("y", idempotency_key="free")]
        )

    assert len(world.tables.jobs) == 1
    assert ("client:", "free") not in world.tables.keys


async def test_replays_in_a_batch_stand_where_they_were_asked(submitter: Submitter) -> None:
    [first] = await submitter.submit([mail("b", idempotency_key="k")])

    accepted = await submitter.submit([mail("a"), mail("b", idempotency_key="k"), mail("c")])

    assert [each.replayed for each in accepted] == [False, True, False]
    assert accepted[1].job.id == first.job.id


async def test_a_batch_repeats_no_key(submitter: Submitter) -> None:
    commands = [mail(7), mail(idempotency_key="k"), mail(), mail(idempotency_key="k")]
    error = await refused(submitter, *commands)

    told = {fault.pointer: fault.detail for fault in error.faults}
    assert set(told) == {"/0/payload/to", "/3/idempotency_key"}
    assert "job 1" in told["/3/idempotency_key"]


async def test_a_unique_job_replays_the_one_that_is_there_whatever_it_asks(submitter: Submitter) -> None:
    [first] = await submitter.submit([mail("ada", unique=Unique(key="daily"))])
    [again] = await submitter.submit([mail("bob", unique=Unique(key="daily"))])

    assert again.replayed
    assert again.job.id == first.job.id


async def test_uniqueness_is_of_a_type(submitter: Submitter) -> None:
    await submitter.submit([mail(unique=Unique(key="daily"))])
    note = SubmitJob(type="note", payload={}, options=JobOptions(unique=Unique(key="daily")))

    assert not (await submitter.submit([note]))[0].replayed
