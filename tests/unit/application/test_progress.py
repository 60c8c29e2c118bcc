"""What handlers say of their progress, and how it comes to the store."""

import asyncio
import math
from collections.abc import Awaitable, Mapping
from typing import Any

import pytest

from jobmill.application.errors import StorageUnavailable
from jobmill.application.handlers import JobContext
from jobmill.application.progress_writer import PAUSE_S
from jobmill.domain.errors import InvalidInput
from jobmill.domain.job import Job

from tests.world import World


async def said(world: World, job: Job) -> tuple[float, str | None, int] | None:
    story = await world.client.store.finder.story(job.id)
    assert story is not None
    told = story.progress
    return None if told is None else (told.fraction, told.note, told.attempt)


async def test_the_newest_word_is_shown_while_the_job_runs_and_after(world: World) -> None:
    async def work(_payload: Mapping[str, Any], job: JobContext) -> object:
        job.progress(0)
        await asyncio.sleep(5)
        job.progress(0.25, "read")
        job.progress(0.5, "half of it")
        await asyncio.sleep(5)
        return None

    world.work = work
    world.node()
    job = await world.submit()

    await world.passes(4)
    assert await said(world, job) == (0.0, None, 1)
    await world.passes(3)
    assert await said(world, job) == (0.5, "half of it", 1)
    await world.passes(10)
    assert await said(world, job) == (0.5, "half of it", 1)


async def test_a_chatty_handler_costs_one_statement_a_second(world: World) -> None:
    async def work(_payload: Mapping[str, Any], job: JobContext) -> object:
        for step in range(1_000):
            job.progress(step / 1_000)
            await asyncio.sleep(0.01)
        return None

    world.work = work
    node = world.node()
    statements: list[str] = []
    node.cable.trouble = statements.append
    await world.submit(count=5)

    await world.passes(20)

    written = statements.count("before progress.write")
    assert 5 <= written <= 10 / PAUSE_S + 1


async def test_trouble_with_the_store_is_none_of_the_handlers_and_tried_again(world: World) -> None:
    async def work(_payload: Mapping[str, Any], job: JobContext) -> object:
        job.progress(0.5)
        await asyncio.sleep(10)
        return "fine"

    world.work = work
    node = world.node()
    is_away = True

    def trouble(moment: str) -> None:
        if is_away and moment == "before progress.write":
            raise StorageUnavailable("away")

    node.cable.trouble = trouble
    job = await world.submit()
    await world.passes(5)
    assert await said(world, job) is None
    assert "progress not written" in node.notes.names

    is_away = False
    await world.passes(2)

    assert await said(world, job) == (0.5, None, 1)


async def test_what_is_said_while_an_earlier_word_is_written_is_not_lost(world: World) -> None:
    async def work(_payload: Mapping[str, Any], job: JobContext) -> object:
        job.progress(0.1)
        await asyncio.sleep(1)
        job.progress(0.2)
        await asyncio.sleep(20)
        return None

    def slow(moment: str) -> Awaitable[None] | None:
        return asyncio.sleep(3) if moment == "after progress.write" else None

    world.work = work
    world.node().cable.trouble = slow
    job = await world.submit()

    await world.passes(15)

    assert await said(world, job) == (0.2, None, 1)


async def test_what_a_run_said_is_forgotten_with_it(world: World) -> None:
    """Where the store never took it, nothing grows."""

    async def work(_payload: Mapping[str, Any], job: JobContext) -> object:
        job.progress(0.5)
        return None

    def trouble(moment: str) -> None:
        if moment == "before progress.write":
            raise StorageUnavailable("away")

    world.work = work
    node = world.node()
    node.cable.trouble = trouble
    await world.submit(count=50)
    await world.passes(10)

    assert node.progress._newest == {}


@pytest.mark.parametrize("fraction", [-0.1, 1.1, math.nan, math.inf, "half", None])
def test_a_fraction_is_from_0_to_1(context: JobContext, fraction: float) -> None:
    with pytest.raises(InvalidInput, match="/fraction: must be a number from 0 to 1"):
        context.progress(fraction)


@pytest.mark.parametrize("note", ["x" * 201, "two\nlines", "\0", "\ud800", 3])
def test_a_note_is_a_short_line(context: JobContext, note: str) -> None:
    with pytest.raises(InvalidInput, match="/note: must be up to 200 characters"):
        context.progress(0.5, note)


def test_a_context_that_a_test_has_made_takes_progress_and_tells_nobody(context: JobContext) -> None:
    context.progress(1, "x" * 200)


@pytest.fixture
def context() -> JobContext:
    from tests.unit.application.shipped.attempts import an_attempt

    return an_attempt()
