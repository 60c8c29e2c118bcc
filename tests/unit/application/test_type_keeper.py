"""A process shows which types it runs, sees what the others run, and says where they differ (B19)."""

import asyncio
from typing import Any

import pytest

from jobmill.application.errors import StorageUnavailable
from jobmill.application.handlers import JobHandlers, Registry
from jobmill.application.type_keeper import LOOK_EVERY_S

from tests.builders import DAY
from tests.nodes import Node
from tests.world import World

TOLD = "workers run one type with two schemas"


def a_release(version: int) -> Registry:
    handlers = JobHandlers()

    async def work(_payload: dict[str, Any]) -> None:
        """Do nothing."""

    handlers.register("work", version=version)(work)
    return Registry([handlers])


def a_worker(world: World, version: int = 1) -> Node:
    return world.node(registry=a_release(version), shows_types=True)


@pytest.fixture
async def watcher(world: World) -> Node:
    """A process without code of its own that sees what the workers run."""
    return world.node(registry=Registry([]), shows_types=True, concurrency=None)


def seen_by(node: Node) -> list[str]:
    return [each.card.name for each in node.registry.board.workers]


async def test_a_worker_is_seen_while_it_lives_and_not_after_its_end(world: World, watcher: Node) -> None:
    worker = a_worker(world)
    await world.passes(60)
    assert seen_by(watcher) == [worker.name]

    await worker.stop()
    await world.passes(6)

    assert seen_by(watcher) == []
    assert watcher.registry.find_known("work") is not None  # a job of the type can still be taken in


async def test_a_worker_that_has_left_is_not_shown_alive_again(world: World) -> None:
    """Its end may take longer than the time between two of its words."""
    worker = a_worker(world)
    await world.passes(3)
    assert list(world.tables.workers) == [worker.name]
    worker.cable.trouble = lambda moment: asyncio.sleep(8) if "leadership.resign" in moment else None

    await worker.stop()

    assert world.tables.workers == {}


async def test_a_worker_that_was_killed_is_not_seen_for_long(world: World, watcher: Node) -> None:
    worker = a_worker(world)
    await world.passes(10)

    worker.kill()
    await world.passes(21)

    assert seen_by(watcher) == []


async def test_a_process_that_runs_no_jobs_does_not_show_itself(world: World, watcher: Node) -> None:
    await world.passes(10)

    assert seen_by(watcher) == []
    assert world.tables.workers == {}


async def test_two_schemas_under_one_name_are_told_once(world: World) -> None:
    old, new = a_worker(world), a_worker(world, version=2)

    await world.passes(60)

    assert (old.notes.names.count(TOLD), new.notes.names.count(TOLD)) == (1, 1)


async def test_one_schema_is_nothing_to_tell(world: World) -> None:
    workers = [a_worker(world), a_worker(world)]

    await world.passes(60)

    assert all(TOLD not in each.notes.names for each in workers)


async def test_types_that_nobody_declared_for_a_week_are_forgotten(world: World, watcher: Node) -> None:
    old = a_worker(world)
    await world.passes(1)
    await old.stop()
    world.clock.offset += 8 * DAY

    a_worker(world, version=2)
    await world.passes(1)

    assert [each.rules.payload_version for each in world.tables.job_types.values()] == [2]


async def test_looking_for_unknown_names_is_bounded(world: World, watcher: Node) -> None:
    await world.passes(1)
    statements: list[str] = []
    watcher.cable.trouble = statements.append
    assert watcher.types is not None

    for _ in range(100):
        await watcher.types.look()
    await world.passes(LOOK_EVERY_S)
    await watcher.types.look()

    assert statements.count("before types.look") == 2


async def test_a_store_that_is_away_is_told_once_and_then_caught_up_with(world: World, watcher: Node) -> None:
    def away(moment: str) -> None:
        if "types." in moment:
            raise StorageUnavailable("the cable is cut")

    worker = a_worker(world)
    watcher.cable.trouble = away
    await world.passes(60)
    assert watcher.notes.names.count("types of other processes not seen") == 1
    assert seen_by(watcher) == []

    watcher.cable.trouble = lambda _moment: None
    await world.passes(6)

    assert seen_by(watcher) == [worker.name]
