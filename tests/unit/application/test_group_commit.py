"""Natural group commit: what arrives while a statement runs goes together into the next."""

import asyncio

import pytest

from jobmill.application.errors import StorageUnavailable

from tests.unit.application.statement import Statement, grouped, handed_in, turns


async def test_a_lonely_call_goes_out_at_once() -> None:
    statement = Statement()

    assert await grouped(statement).submit(["a", "b"], within_s=5) == ["aa", "bb"]
    assert asyncio.get_running_loop().time() == 0.0


async def test_nothing_handed_in_asks_nobody() -> None:
    statement = Statement()

    assert await grouped(statement).submit([], within_s=5) == ()
    assert statement.batches == []


async def test_what_arrives_while_a_statement_runs_goes_together_into_the_next() -> None:
    statement = Statement()
    group = grouped(statement)
    statement.gate.clear()
    calls = [handed_in(group, "a")]
    await turns()
    calls += [handed_in(group, "b"), handed_in(group, "c", "d")]
    await turns()

    statement.gate.set()

    assert await asyncio.gather(*calls) == [["aa"], ["bb"], ["cc", "dd"]]
    assert statement.batches == [[["a"]], [["b"], ["c", "d"]]]


async def test_those_who_are_ready_together_share_the_first_statement() -> None:
    statement = Statement()
    group = grouped(statement)

    await asyncio.gather(*(group.submit([item], within_s=5) for item in "abc"))

    assert statement.flat == [["a", "b", "c"]]


async def test_a_batch_is_bounded_and_keeps_the_order() -> None:
    statement = Statement()
    group = grouped(statement, batch=2)

    await asyncio.gather(*(group.submit([item], within_s=5) for item in "abcde"))

    assert statement.flat == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_unit_is_never_cut() -> None:
    statement = Statement()
    group = grouped(statement, batch=3)

    await asyncio.gather(*(group.submit(list(unit), within_s=5) for unit in ("ab", "cd", "efghi")))

    assert statement.batches == [[["a", "b"]], [["c", "d"]], [["e", "f", "g", "h", "i"]]]


async def test_a_key_stands_in_a_batch_once_and_its_askers_keep_their_order() -> None:
    statement = Statement()
    group = grouped(statement, keys=lambda item: item[:1])

    await asyncio.gather(*(group.submit([item], within_s=5) for item in ("a1", "a2", "b1", "a3", "b2")))

    assert statement.flat == [["a1", "b1"], ["a2", "b2"], ["a3"]]


async def test_a_unit_that_waits_for_one_key_holds_back_later_askers_of_its_other_keys() -> None:
    statement = Statement()
    group = grouped(statement, keys=lambda item: item[:1])

    await asyncio.gather(*(group.submit(unit, within_s=5) for unit in (["a1"], ["a2", "b2"], ["b3"])))

    assert statement.flat == [["a1"], ["a2", "b2"], ["b3"]]


async def test_a_cancelled_caller_leaves_its_items_in_the_batch() -> None:
    statement = Statement()
    group = grouped(statement)
    statement.gate.clear()
    first = handed_in(group, "a")
    await turns()
    gone, stays = handed_in(group, "b"), handed_in(group, "c")
    await turns()

    gone.cancel()
    first.cancel()
    statement.gate.set()

    assert await stays == ["cc"]
    assert statement.flat == [["a"], ["b", "c"]]


async def test_so_much_may_wait_and_no_more() -> None:
    statement = Statement()
    group = grouped(statement, waiting=3)
    statement.gate.clear()
    calls = [handed_in(group, "in flight")]
    await turns()
    calls += [handed_in(group, "a", "b", "c")]
    await turns()

    with pytest.raises(StorageUnavailable, match="too many"):
        await group.submit(["d"], within_s=5)

    statement.gate.set()
    await asyncio.gather(*calls)
    assert await group.submit(["d"], within_s=5) == ["dd"]


async def test_drained_means_that_everything_is_answered() -> None:
    statement = Statement()
    group = grouped(statement, batch=1)
    calls = [handed_in(group, item) for item in "abc"]
    await asyncio.sleep(0)

    await group.drain()
    await asyncio.sleep(0)

    assert all(call.done() for call in calls)
