"""Looking at jobs and at what died, page by page."""

from datetime import timedelta
from uuid import UUID

import pytest

from jobmill.application.errors import JobNotFound
from jobmill.application.inspector import DeadLetterPage, Inspector
from jobmill.application.ports.job_finder import JobQuery
from jobmill.application.ports.provider_states import ProviderRecord
from jobmill.application.ports.quarantine import ForeignMessage
from jobmill.domain.errors import InvalidInput
from jobmill.domain.states import JobState
from jobmill.testing.contracts.provider_states import a_closed_breaker, a_provider

from tests.builders import NOW, an_id, failed
from tests.nodes import Node
from tests.world import World


@pytest.fixture
async def node(world: World) -> Node:
    return world.node(starts=False)


@pytest.fixture
async def inspector(node: Node) -> Inspector:
    inspector: Inspector = node.inspector
    return inspector


async def quarantined(node: Node) -> UUID:
    message = ForeignMessage(
        id=an_id(), received_at=NOW, source="s", reason="r", content_type=None, headers={}, body=b"?"
    )
    await node.store.quarantine.keep([message])
    return message.id


async def ids_of_dead(inspector: Inspector, *kinds: str, **query: object) -> list[UUID]:
    page = await inspector.dead_letters(query=JobQuery(**query), kinds=frozenset(kinds))  # type: ignore[arg-type]
    return [letter.id for letter in page.letters]


async def test_a_job_is_shown_with_its_history(world: World, node: Node, inspector: Inspector) -> None:
    job = world.has(JobState.PROCESSING)
    await node.commits.save([failed(job)])

    story = await inspector.story(job.id)

    assert story.job == world.job(job)
    assert len(story.history) == 1


async def test_an_unknown_job_or_message_is_told_so(inspector: Inspector) -> None:
    with pytest.raises(JobNotFound):
        await inspector.story(an_id())
    with pytest.raises(JobNotFound):
        await inspector.message(an_id())


async def test_pages_follow_each_other_without_gap_or_repetition(world: World, inspector: Inspector) -> None:
    jobs = [world.has().id for _ in range(7)]
    seen: list[UUID] = []
    after: UUID | None = None
    for _ in range(3):
        page = await inspector.page(JobQuery(limit=3, after=after))
        seen += [job.id for job in page.jobs]
        after = page.next_after

    assert seen == jobs[::-1]
    assert after is None


async def test_a_last_page_that_is_just_full_knows_that_it_is_the_last(
    world: World, inspector: Inspector
) -> None:
    for _ in range(3):
        world.has()

    assert (await inspector.page(JobQuery(limit=3))).next_after is None


@pytest.mark.parametrize("limit", [0, -1, 201])
async def test_a_page_has_its_size(inspector: Inspector, limit: int) -> None:
    with pytest.raises(InvalidInput):
        await inspector.page(JobQuery(limit=limit))
    with pytest.raises(InvalidInput):
        await inspector.dead_letters(query=JobQuery(limit=limit), kinds=frozenset())


async def test_the_largest_page_is_allowed(world: World, inspector: Inspector) -> None:
    for _ in range(201):
        world.has()

    page = await inspector.page(JobQuery(limit=200))

    assert len(page.jobs) == 200
    assert page.next_after == page.jobs[-1].id


async def test_what_died_stands_in_one_list_newest_first(
    world: World, node: Node, inspector: Inspector
) -> None:
    letters = [
        world.has(JobState.FAILED).id,
        await quarantined(node),
        world.has(JobState.EXPIRED).id,
        await quarantined(node),
    ]
    for state in (JobState.SUCCEEDED, JobState.CANCELLED, JobState.DISCARDED, JobState.QUEUED):
        world.has(state)

    assert await ids_of_dead(inspector) == letters[::-1]
    assert await ids_of_dead(inspector, "failed") == [letters[0]]
    assert await ids_of_dead(inspector, "expired", "quarantined") == [letters[3], letters[2], letters[1]]
    assert await ids_of_dead(inspector, "quarantined") == [letters[3], letters[1]]


async def test_pages_of_both_kinds_follow_each_other(world: World, node: Node, inspector: Inspector) -> None:
    letters = [world.has(JobState.FAILED).id if at % 3 else await quarantined(node) for at in range(10)]
    seen: list[UUID] = []
    page = DeadLetterPage(letters=[], next_after=None)
    for _ in range(4):
        page = await inspector.dead_letters(query=JobQuery(limit=3, after=page.next_after), kinds=frozenset())
        seen += [letter.id for letter in page.letters]

    assert seen == letters[::-1]
    assert page.next_after is None


async def test_filters_for_jobs_leave_messages_out(world: World, node: Node, inspector: Inspector) -> None:
    job = world.has(JobState.FAILED, queue="other", tenant="t")
    world.has(JobState.FAILED)
    await quarantined(node)

    assert await ids_of_dead(inspector, queue="other") == [job.id]
    assert await ids_of_dead(inspector, tenant="t") == [job.id]


async def test_times_of_making_leave_messages_out_as_well(
    world: World, node: Node, inspector: Inspector
) -> None:
    job = world.has(JobState.FAILED)
    await quarantined(node)
    since = world.clock.now() - timedelta(days=1)

    assert await ids_of_dead(inspector, created_from=since) == [job.id]


async def test_a_message_is_shown_as_it_came(node: Node, inspector: Inspector) -> None:
    message_id = await quarantined(node)

    assert (await inspector.message(message_id)).body == b"?"


async def test_what_is_unfinished_or_dead_is_counted(world: World, inspector: Inspector) -> None:
    for state in (JobState.QUEUED, JobState.QUEUED, JobState.FAILED, JobState.SUCCEEDED):
        world.has(state)

    assert await inspector.counts() == {("default", JobState.QUEUED): 2, ("default", JobState.FAILED): 1}


async def awaited(world: World, inspector: Inspector, state: JobState = JobState.QUEUED) -> list[str]:
    """The providers for whose breakers a text waits."""
    job = world.has(state, type="sms")
    return [each.provider for each in await inspector.breakers_awaited(job)]


async def has(node: Node, *providers: ProviderRecord) -> None:
    await node.store.providers.save(providers)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RETRYING])
async def test_a_waiting_job_waits_for_the_breakers_of_its_type_where_none_is_closed(
    world: World, node: Node, inspector: Inspector, state: JobState
) -> None:
    await has(node, a_provider("sms:a"), a_provider("sms:b"), a_provider("email:c"), a_provider("smsx:d"))

    assert await awaited(world, inspector, state) == ["sms:a", "sms:b"]


async def test_a_job_that_runs_or_is_over_waits_for_none(
    world: World, node: Node, inspector: Inspector
) -> None:
    await has(node, a_provider("sms:a"))

    for state in set(JobState) - {JobState.QUEUED, JobState.RETRYING}:
        assert await awaited(world, inspector, state) == []


async def test_a_job_waits_for_no_breaker_while_another_provider_is_well(
    world: World, node: Node, inspector: Inspector
) -> None:
    await has(node, a_provider("sms:a"), a_provider("sms:b", breaker=a_closed_breaker()))

    assert await awaited(world, inspector) == []


async def test_a_job_that_would_fail_at_an_open_breaker_does_not_wait_for_it(
    world: World, node: Node, inspector: Inspector
) -> None:
    await has(node, a_provider("sms:a", limits={"on_open": "fail"}))

    assert await awaited(world, inspector) == []
