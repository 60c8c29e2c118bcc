"""Two statements side by side: where many callers wait, and nowhere else."""

import asyncio
from collections.abc import Sequence

import pytest

from jobmill.application.errors import StorageRefused, StorageUnknown
from jobmill.application.group_commit import GroupCommit

from tests.unit.application.statement import Statement, grouped, handed_in, turns

Calls = list["asyncio.Task[Sequence[str]]"]


async def waiting(group: GroupCommit[str, str], items: str) -> Calls:
    """Callers, one for each letter, that are all in the same turn of the loop."""
    calls = [handed_in(group, item) for item in items]
    await turns()
    return calls


async def answered(statement: Statement, calls: Calls, items: str) -> None:
    statement.gate.set()
    assert await asyncio.gather(*calls) == [[2 * item] for item in items]


async def test_many_who_wait_are_parted_into_two_statements_and_no_third() -> None:
    statement = Statement()
    group = grouped(statement, side_by_side=2)
    statement.gate.clear()
    calls = await waiting(group, "abcde")
    assert statement.flat == [["a", "b", "c"], ["d", "e"]]

    calls += await waiting(group, "fghi")
    assert len(statement.flat) == 2

    await answered(statement, calls, "abcdefghi")


async def test_a_second_task_is_not_made_before_a_statement_runs() -> None:
    group = grouped(Statement(), side_by_side=2)

    answers = [group.submit([item], within_s=5) for item in "abc"]

    assert len(group._tasks) == 1
    assert await asyncio.gather(*answers) == [["aa"], ["bb"], ["cc"]]


async def test_few_share_one_statement_and_nothing_goes_out_beside_it() -> None:
    statement = Statement()
    group = grouped(statement, side_by_side=2)
    statement.gate.clear()
    calls = await waiting(group, "abc")
    calls += await waiting(group, "d")
    assert statement.flat == [["a", "b", "c"]]

    await answered(statement, calls, "abcd")

    assert statement.flat == [["a", "b", "c"], ["d"]]


async def test_enough_who_come_while_a_statement_runs_get_one_beside_it() -> None:
    statement = Statement()
    group = grouped(statement, side_by_side=2)
    statement.gate.clear()
    calls = await waiting(group, "a")
    calls += await waiting(group, "bcdef")
    assert statement.flat == [["a"], ["b", "c", "d", "e", "f"]]

    await answered(statement, calls, "abcdef")


async def test_unless_it_is_wished_there_is_one_at_a_time() -> None:
    statement = Statement()
    group = grouped(statement)
    statement.gate.clear()
    calls = await waiting(group, "a")
    calls += await waiting(group, "bcdefghijklmnopq")
    assert statement.flat == [["a"]]

    await answered(statement, calls, "abcdefghijklmnopq")

    assert len(statement.flat) == 2


async def test_what_is_too_little_for_one_beside_waits_for_the_last_that_runs() -> None:
    gates = [asyncio.Event() for _ in range(3)]
    seen: list[list[str]] = []

    async def flush(groups: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
        seen.append([item for group in groups for item in group])
        await gates[len(seen) - 1].wait()
        return [[2 * item for item in group] for group in groups]

    group = grouped(flush, side_by_side=2)
    calls = await waiting(group, "abcd")
    calls += await waiting(group, "e")

    gates[0].set()
    await turns()
    assert seen == [["a", "b"], ["c", "d"]]
    gates[1].set()
    await turns()
    assert seen == [["a", "b"], ["c", "d"], ["e"]]

    gates[2].set()
    assert await asyncio.gather(*calls) == [["aa"], ["bb"], ["cc"], ["dd"], ["ee"]]


async def test_a_key_is_in_one_of_the_statements_that_run_at_most() -> None:
    statement = Statement()
    group = grouped(statement, keys=lambda item: item.lower(), side_by_side=2)
    statement.gate.clear()
    calls = await waiting(group, "ab")
    calls += await waiting(group, "Acd")
    assert statement.flat == [["a", "b"], ["c", "d"]]

    await answered(statement, calls, "abAcd")

    assert statement.flat == [["a", "b"], ["c", "d"], ["A"]]


async def test_drained_means_that_both_statements_are_answered() -> None:
    statement = Statement()
    group = grouped(statement, side_by_side=2)
    statement.gate.clear()
    calls = await waiting(group, "abcd")
    draining = asyncio.create_task(group.drain())
    await turns()
    assert not draining.done()

    statement.gate.set()
    await draining
    await asyncio.sleep(0)

    assert all(call.done() for call in calls)


async def test_a_value_refused_in_one_statement_leaves_the_other_and_those_who_wait() -> None:
    statement = Statement(guilty=frozenset("b"))
    group = grouped(statement, side_by_side=2)
    statement.gate.clear()
    calls = await waiting(group, "abcd")
    calls += await waiting(group, "e")

    statement.gate.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(answer) for answer in answers] == [list, StorageRefused, list, list, list]


async def test_one_of_two_that_is_killed_leaves_those_who_wait_to_the_other() -> None:
    statement = Statement()
    group = grouped(statement, side_by_side=2)
    statement.gate.clear()
    killed = await waiting(group, "a")
    [task] = group._tasks
    calls = await waiting(group, "bc")
    calls += await waiting(group, "d")

    task.cancel()
    await turns()
    await answered(statement, calls, "bcd")

    with pytest.raises(StorageUnknown):
        await killed[0]
