"""When a delivery is acknowledged: never on the timer alone, and never while a job of it still needs it."""

import asyncio
from datetime import timedelta

from jobmill.application.holding import Holding
from jobmill.application.ports.message_bus import Lane
from jobmill.domain.states import Priority

from tests.builders import a_job
from tests.received import Received

LANE = Lane(queue="default", priority=Priority.NORMAL)
DEADLINE_S = 30.0


def holding_of(count: int) -> tuple[Holding, Received]:
    delivery = Received()
    jobs = [a_job() for _ in range(count)]
    return Holding(delivery, lane=LANE, jobs=jobs, ack_deadline=timedelta(seconds=DEADLINE_S)), delivery


async def test_an_empty_parcel_is_acknowledged_at_once() -> None:
    _, delivery = holding_of(0)

    assert delivery.answers == ["ack"]


async def test_it_is_acknowledged_with_the_last_job_that_is_settled() -> None:
    holding, delivery = holding_of(2)
    holding.take(2)
    holding.are_claimed(2)
    holding.are_settled(1)
    assert delivery.answers == []

    holding.are_settled(1)

    assert delivery.answers == ["ack"]
    assert holding.is_answered


async def test_jobs_that_need_no_run_count_like_settled_ones() -> None:
    holding, delivery = holding_of(3)
    holding.take(3)
    holding.are_claimed(1)
    holding.need_no_run(2)
    assert delivery.answers == []

    holding.are_settled(1)

    assert delivery.answers == ["ack"]


async def test_a_claimed_job_is_no_reason_to_acknowledge_before_the_deadline() -> None:
    holding, delivery = holding_of(1)
    holding.take(1)
    holding.are_claimed(1)

    await asyncio.sleep(DEADLINE_S - 1)

    assert delivery.answers == []


async def test_past_the_deadline_claims_are_enough() -> None:
    holding, delivery = holding_of(2)
    holding.take(2)
    holding.need_no_run(1)
    holding.are_claimed(1)

    await asyncio.sleep(DEADLINE_S)

    assert delivery.answers == ["ack"]
    holding.are_settled(1)
    assert delivery.answers == ["ack"]


async def test_the_deadline_does_not_acknowledge_what_is_not_claimed() -> None:
    holding, delivery = holding_of(2)
    holding.take(1)
    holding.are_claimed(1)

    await asyncio.sleep(10 * DEADLINE_S)
    assert delivery.answers == []

    holding.take(1)
    holding.are_claimed(1)
    assert delivery.answers == ["ack"]


async def test_what_cannot_be_claimed_is_next_again() -> None:
    holding, _ = holding_of(3)
    first, second, third = holding.todo
    taken = holding.take(2)

    holding.put_back(taken)

    assert holding.is_untouched
    assert list(holding.todo) == [first, second, third]


async def test_an_untouched_delivery_goes_back_whole_and_is_not_acknowledged_later() -> None:
    holding, delivery = holding_of(2)

    holding.release()
    await asyncio.sleep(2 * DEADLINE_S)

    assert delivery.answers == ["release"]
