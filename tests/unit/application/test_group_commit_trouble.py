"""What a group does when its statement fails: everybody is answered, and nobody waits too long."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from jobmill.application.errors import StorageRefused, StorageUnavailable, StorageUnknown

from tests.unit.application.statement import Statement, grouped, handed_in, turns


async def test_a_fault_of_the_statement_answers_everybody() -> None:
    statement = Statement(verdicts=[ZeroDivisionError("ours")])
    group = grouped(statement, batch=2)

    answers = await asyncio.gather(
        *(group.submit([item], within_s=5) for item in "abc"), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [ZeroDivisionError, ZeroDivisionError, StorageUnavailable]
    assert await group.submit(["d"], within_s=5) == ["dd"]


async def test_too_few_answers_are_a_fault_that_answers_everybody() -> None:
    async def forgetful(groups: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
        return [["only one"]]

    group = grouped(forgetful)

    answers = await asyncio.gather(
        *(group.submit([item], within_s=5) for item in "ab"), return_exceptions=True
    )

    assert isinstance(answers[1], ValueError)


async def test_a_fault_while_the_guilty_one_is_looked_for_answers_everybody() -> None:
    statement = Statement(verdicts=[StorageRefused("one of you"), ZeroDivisionError("ours")])
    group = grouped(statement)

    async with asyncio.timeout(60):
        answers = await asyncio.gather(
            *(group.submit([item], within_s=5) for item in "abcd"), return_exceptions=True
        )

    assert [type(answer) for answer in answers] == 4 * [ZeroDivisionError]


async def test_a_group_that_is_killed_leaves_nobody_waiting() -> None:
    statement = Statement()
    group = grouped(statement)
    statement.gate.clear()
    running = handed_in(group, "a")
    await turns()
    waiting = handed_in(group, "b")
    await turns()
    [task] = group._tasks

    task.cancel()
    answers = await asyncio.gather(running, waiting, return_exceptions=True)

    assert [type(answer) for answer in answers] == [StorageUnknown, StorageUnavailable]


async def test_a_refused_value_is_told_to_its_owner_alone() -> None:
    statement = Statement(guilty=frozenset("c"))
    group = grouped(statement)

    answers = await asyncio.gather(
        *(group.submit(list(unit), within_s=5) for unit in ("a", "b", "cx", "d", "e")), return_exceptions=True
    )

    assert isinstance(answers[2], StorageRefused)
    assert answers[:2] + answers[3:] == [["aa"], ["bb"], ["dd"], ["ee"]]
    assert all(batch.count(["c", "x"]) == sum("c" in group for group in batch) for batch in statement.batches)


async def test_unknown_is_answered_by_the_same_items_again() -> None:
    statement = Statement(verdicts=[StorageUnknown("cut off"), StorageUnavailable("away")])
    group = grouped(statement)

    assert await group.submit(["a", "b"], within_s=5) == ["aa", "bb"]
    assert statement.flat == 3 * [["a", "b"]]


async def test_a_deadline_in_doubt_is_told_as_unknown() -> None:
    statement = Statement(verdicts=[StorageUnknown("cut off"), *(100 * [StorageUnavailable("away")])])
    group = grouped(statement)

    with pytest.raises(StorageUnknown):
        await group.submit(["a"], within_s=5)

    assert 5 <= asyncio.get_running_loop().time() < 8


async def test_a_deadline_with_nothing_done_is_told_as_unavailable() -> None:
    statement = Statement(verdicts=100 * [StorageUnavailable("away")])
    group = grouped(statement)

    with pytest.raises(StorageUnavailable):
        await group.submit(["a"], within_s=5)


async def test_each_caller_has_its_own_deadline() -> None:
    statement = Statement(verdicts=[*(8 * [StorageUnavailable("away")])])
    group = grouped(statement)

    answers = await asyncio.gather(
        group.submit(["hasty"], within_s=1), group.submit(["patient"], within_s=60), return_exceptions=True
    )

    assert isinstance(answers[0], StorageUnavailable)
    assert answers[1] == ["patientpatient"]
    assert statement.flat[0] == ["hasty", "patient"]
    assert statement.flat[-1] == ["patient"]


async def test_a_caller_behind_a_batch_that_is_tried_again_is_told_at_its_own_deadline() -> None:
    statement = Statement(verdicts=100 * [StorageUnknown("cut off")])
    group = grouped(statement)
    patient = handed_in(group, "patient", within_s=60)
    await turns()

    with pytest.raises(StorageUnavailable):
        await group.submit(["hasty"], within_s=5)

    assert asyncio.get_running_loop().time() < 8
    patient.cancel()


async def test_the_waits_between_tries_grow_and_stay_bounded() -> None:
    at: list[float] = []

    async def away(_groups: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
        at.append(asyncio.get_running_loop().time())
        raise StorageUnavailable("away")

    with pytest.raises(StorageUnavailable):
        await grouped(away).submit(["a"], within_s=30)

    waits = [round(later - earlier, 6) for earlier, later in pairwise(at)]
    assert waits == sorted(waits)
    assert waits[0] <= 0.05
    assert waits[-1] <= 2.0


async def test_a_group_that_is_killed_before_its_first_step_leaves_nobody_waiting() -> None:
    group = grouped(Statement())
    call = handed_in(group, "a")
    await asyncio.sleep(0)
    [task] = group._tasks

    task.cancel()
    async with asyncio.timeout(1):
        await group.drain()
        answers = await asyncio.gather(call, return_exceptions=True)

    assert [type(answer) for answer in answers] == [StorageUnavailable]
    assert await group.submit(["b"], within_s=5) == ["bb"]
