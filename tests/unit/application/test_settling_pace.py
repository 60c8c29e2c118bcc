"""How often what has ended is settled."""

import asyncio

import pytest

from jobmill.application.handler_tasks import SETTLE_EVERY_S

from tests.unit.application.handler_shop import Shop, nothing


@pytest.fixture
async def shop() -> Shop:
    return Shop()


async def test_where_slots_are_free_a_settlement_waits_a_moment_for_others(shop: Shop) -> None:
    shop.slots_are_short = False
    [first] = shop.takes(nothing)
    await shop.passes()
    assert shop.settled == [[first]], "the first after a pause waits for nobody"

    [second] = shop.takes(nothing)
    await asyncio.sleep(SETTLE_EVERY_S / 2)
    [third] = shop.takes(nothing)
    assert shop.settled == [[first]]
    await asyncio.sleep(SETTLE_EVERY_S)

    assert shop.settled == [[first], [second, third]]
    assert shop.over == [first, second, third]


async def test_once_slots_are_short_what_has_ended_is_settled_at_once(shop: Shop) -> None:
    shop.slots_are_short = False
    [first] = shop.takes(nothing)
    await shop.passes()
    [second] = shop.takes(nothing)
    await shop.passes()

    shop.slots_are_short = True
    [third] = shop.takes(nothing)
    await shop.passes()

    assert shop.settled == [[first], [second, third]]
    assert asyncio.get_running_loop().time() == 0
