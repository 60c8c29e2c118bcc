"""What is over is deleted a little at a time, and nothing else waits for it."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from attrs import define, field

from jobmill.application.errors import SetupFault, StorageUnavailable
from jobmill.application.ports.retention import RetentionSteps
from jobmill.application.retention_keeper import LOOK_EVERY_S, PAGE, RetentionKeeper
from jobmill.domain.retention import Retention
from jobmill.domain.states import JobState

from tests.builders import DAY, a_job_that_is
from tests.world import World

RULES = Retention()


@define(kw_only=True)
class Steps(RetentionSteps):
    """Steps that find as much as they are told, and remember what they were asked."""

    jobs: int = 0
    messages: int = 0
    turns: list[bool | Exception] = field(factory=list)
    asked: list[str] = field(factory=list)

    async def delete_jobs(self, keep: Mapping[JobState, timedelta], *, limit: int) -> int:
        assert keep == RULES.by_state
        self.asked.append("jobs")
        page = min(limit, self.jobs)
        self.jobs -= page
        return page

    async def delete_foreign(self, keep: timedelta, *, limit: int) -> int:
        assert keep == RULES.dead
        self.asked.append("messages")
        page = min(limit, self.messages)
        self.messages -= page
        return page

    async def turn(self, keep: Mapping[JobState, timedelta]) -> bool:
        self.asked.append("turn")
        answer = self.turns.pop(0) if self.turns else False
        if isinstance(answer, Exception):
            raise answer
        return answer


@define(kw_only=True)
class Ears:
    """An observer that keeps the words."""

    words: list[tuple[str, object]] = field(factory=list)

    def happened(self, *_: object) -> None:
        """Nothing of a job is told here."""

    def noted(self, event: str, **fields: object) -> None:
        self.words.append((event, fields.get("reason")))


def keeper_of(steps: Steps, *, retention: Retention = RULES) -> tuple[RetentionKeeper, Ears]:
    ears = Ears()
    return RetentionKeeper(steps=steps, retention=retention, observer=ears), ears  # type: ignore[arg-type]


async def test_after_a_look_that_found_little_nobody_looks_for_a_while(world: World) -> None:
    steps = Steps(jobs=1)
    keeper, _ = keeper_of(steps)
    for _ in range(3):
        await keeper.step()
    assert steps.asked == ["turn", "jobs", "messages"]

    await world.passes(LOOK_EVERY_S + 1)
    await keeper.step()
    assert steps.asked == ["turn", "jobs", "messages"] * 2


async def test_a_step_is_bounded_and_the_next_goes_on(world: World) -> None:
    steps = Steps(jobs=25 * PAGE)
    keeper, _ = keeper_of(steps)

    await keeper.step()
    assert steps.jobs == 5 * PAGE
    await keeper.step()
    assert steps.jobs == 0


async def test_many_messages_are_deleted_step_by_step(world: World) -> None:
    steps = Steps(messages=PAGE + 1)
    keeper, _ = keeper_of(steps)

    await keeper.step()
    await keeper.step()

    assert steps.messages == 0


async def test_while_the_store_has_steps_of_its_own_it_is_asked_again_at_once(world: World) -> None:
    steps = Steps(turns=[True, True])
    keeper, _ = keeper_of(steps)
    for _ in range(4):
        await keeper.step()

    assert steps.asked == ["turn", "turn", "turn", "jobs", "messages"]


@pytest.mark.parametrize("error", [StorageUnavailable("locked"), SetupFault("not the owner")])
async def test_what_keeps_days_from_turning_is_noted_once_and_keeps_nothing_else(
    world: World, error: Exception
) -> None:
    steps = Steps(turns=[error, error, False, error])
    keeper, ears = keeper_of(steps)
    for _ in range(4):
        await keeper.step()
        await world.passes(LOOK_EVERY_S + 1)

    assert steps.asked == ["turn", "jobs", "messages"] * 4
    assert [reason for _, reason in ears.words] == [str(error)] * 2


async def test_messages_that_are_kept_for_ever_are_not_asked_for(world: World) -> None:
    steps = Steps(messages=1)
    keeper, _ = keeper_of(steps, retention=Retention(dead=None))
    steps.delete_jobs = _none  # type: ignore[method-assign]
    await keeper.step()

    assert steps.messages == 1


async def _none(keep: Mapping[JobState, timedelta], *, limit: int) -> int:
    return 0


async def test_the_leader_keeps_house(world: World) -> None:
    old = a_job_that_is(JobState.SUCCEEDED, now=world.clock.now() - 4 * DAY)
    world.tables.jobs[old.id] = old
    world.node()

    await world.passes(5)

    assert old.id not in world.tables.jobs
