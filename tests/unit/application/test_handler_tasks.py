"""Handlers share tasks as long as none of them can notice."""

import asyncio
import weakref
from contextvars import ContextVar

import pytest

from jobmill.application.handler_tasks import TURN_MAX_S, TURN_RUNS_MAX
from jobmill.application.run import Interrupt, Run

from tests.unit.application.handler_shop import Shop, Work, nothing, waits


@pytest.fixture
async def shop() -> Shop:
    return Shop()


async def test_handlers_that_never_wait_share_a_task_and_are_settled_together(shop: Shop) -> None:
    runs = shop.takes(*[nothing] * 30)
    await shop.passes()

    assert shop.one_task(*runs)
    assert shop.settled == [runs]
    assert shop.over == runs


async def test_a_handler_that_waits_keeps_its_task_and_the_rest_go_on_at_once(shop: Shop) -> None:
    before, waiting, *after = shop.takes(nothing, waits, nothing, nothing)
    await shop.passes()

    assert shop.over == [before, *after]
    assert shop.one_task(before, waiting)
    assert not shop.one_task(waiting, *after)
    assert waiting.task is not None
    assert not waiting.task.done()


async def test_a_task_in_which_a_handler_waited_is_never_used_again(shop: Shop) -> None:
    async def waits_a_little() -> None:
        await asyncio.sleep(0)

    [first] = shop.takes(waits_a_little)
    await shop.passes()
    later = shop.takes(nothing, nothing)
    await shop.passes()

    assert shop.over == [first, *later]
    assert all(shop.tasks[run] != shop.tasks[first] for run in later)


async def test_those_that_waited_the_last_time_begin_together(shop: Shop) -> None:
    shop.takes(waits)
    await shop.passes()

    runs = shop.takes(*[waits] * 20)
    await shop.passes(4)

    assert all(run._timer is not None for run in runs), "each waits by now"
    assert len({shop.tasks[run] for run in runs}) == 20
    assert len({shop.turns[run] for run in runs}) == 1


async def test_what_no_longer_waits_shares_a_task_again(shop: Shop) -> None:
    shop.takes(waits)
    await shop.passes()
    shop.takes(nothing)
    await shop.passes()

    runs = shop.takes(nothing, nothing)
    await shop.passes()

    assert shop.one_task(*runs)


@pytest.mark.parametrize("how", ["cancelled", "kept", "known by a weak reference"])
async def test_a_task_that_somebody_may_still_reach_for_is_not_used_again(shop: Shop, how: str) -> None:
    left: list[object] = []

    async def leaves_its_task_behind() -> None:
        task = asyncio.current_task()
        assert task is not None
        if how == "cancelled":
            task.cancel()
        elif how == "kept":
            left.append(task)
        else:
            left.append(weakref.ref(task))

    first, second = shop.takes(leaves_its_task_behind, nothing)
    await shop.passes()

    assert shop.over == [first, second]
    assert not shop.one_task(first, second)


async def test_what_a_handler_only_looks_at_costs_no_task(shop: Shop) -> None:
    ready = asyncio.Event()
    ready.set()

    async def under_a_deadline() -> None:
        async with asyncio.timeout(5):
            await ready.wait()

    runs = shop.takes(*[under_a_deadline] * 5)
    await shop.passes()

    assert shop.one_task(*runs)


SEEN: ContextVar[str] = ContextVar("seen", default="nothing")


async def test_no_handler_sees_what_another_has_set_in_its_context(shop: Shop) -> None:
    seen: list[str] = []

    async def sets() -> None:
        seen.append(SEEN.get())
        SEEN.set("mine")
        await asyncio.sleep(0)
        seen.append(SEEN.get())

    async def sets_and_ends() -> None:
        seen.append(SEEN.get())
        SEEN.set("mine too")

    runs = shop.takes(sets_and_ends, sets, sets_and_ends, sets)
    await shop.passes()

    assert len(shop.over) == len(runs)
    assert sorted(seen) == ["mine", "mine", "nothing", "nothing", "nothing", "nothing"]
    assert SEEN.get() == "nothing"


async def test_the_loop_turns_after_so_many_runs(shop: Shop) -> None:
    runs = shop.takes(*[nothing] * (TURN_RUNS_MAX + 1))
    await shop.passes()

    assert [shop.turns[run] for run in runs[:TURN_RUNS_MAX]] == [0] * TURN_RUNS_MAX
    assert shop.turns[runs[-1]] == 1
    assert shop.settled == [runs[:TURN_RUNS_MAX], runs[TURN_RUNS_MAX:]]


async def test_a_slow_neighbour_does_not_delay_what_is_done(shop: Shop) -> None:
    async def slow() -> None:
        shop.now_s += TURN_MAX_S

    done, neighbour, slow_too, last = shop.takes(nothing, slow, slow, nothing)
    await shop.passes()

    assert shop.settled == [[done, neighbour], [slow_too], [last]]
    assert [shop.turns[run] for run in (done, neighbour, slow_too, last)] == [0, 0, 1, 2]


async def test_a_step_that_holds_up_the_loop_is_told(shop: Shop) -> None:
    async def blocks() -> None:
        shop.now_s += 2

    async def blocks_later() -> None:
        await asyncio.sleep(0)
        shop.now_s += 3

    shop.takes(nothing, blocks, nothing, blocks_later)
    await shop.passes()

    assert shop.blocked_s == [2, 3]


async def test_a_fault_of_ours_costs_one_run_its_outcome_and_no_other_its_turn(shop: Shop) -> None:
    async def fails() -> None:
        raise RuntimeError("ours")

    first, broken, last = shop.takes(nothing, fails, nothing)
    await shop.passes()

    assert shop.over == [first, broken, last]
    [error] = [task.exception() for task in shop.spawned if task.exception() is not None]
    assert isinstance(error, RuntimeError)


async def test_an_interrupt_reaches_the_handler_that_waits_and_no_other(shop: Shop) -> None:
    seen: list[str] = []

    def deaf(name: str) -> Work:
        async def work() -> None:
            try:
                await asyncio.sleep(1_000)
            except asyncio.CancelledError:
                seen.append(name)

        return work

    _, second, _ = shop.takes(deaf("a"), deaf("b"), deaf("c"))
    await shop.passes()
    second.stop(Interrupt.STOP_ASKED)
    await shop.passes()

    assert seen == ["b"]
    assert shop.over == [second]


async def test_what_comes_while_others_run_is_run_after_them(shop: Shop) -> None:
    later: list[Run] = []

    async def brings_more() -> None:
        later.extend(shop.takes(nothing))

    runs = shop.takes(brings_more, nothing)
    await shop.passes()

    assert shop.over == [*runs, *later]
