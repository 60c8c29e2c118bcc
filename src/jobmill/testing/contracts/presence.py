"""``Presence``: locks that end with the connection that holds them."""

import pytest

from jobmill.application.errors import Unavailable
from jobmill.application.ports.presence import Presence
from jobmill.application.ports.store import Store
from jobmill.testing.contracts.waiting import until

LOW, HIGH = 0x00000007, 0xFEDCBA98


@pytest.fixture
def presence(store: Store) -> Presence:
    assert store.presence is not None
    return store.presence


@pytest.mark.parametrize("key", [0, LOW, 0x7FFFFFFF, 0x80000000, HIGH, 0xFFFFFFFF])
async def test_a_lock_is_seen_by_all_while_it_is_held(presence: Presence, key: int) -> None:
    one, other = await presence.open(), await presence.open()

    assert await one.hold(key)

    assert await one.look() == {key}
    assert await other.look() == {key}
    await one.close()
    await other.close()


async def test_nobody_else_gets_a_lock_that_is_held(presence: Presence) -> None:
    one, other = await presence.open(), await presence.open()
    await one.hold(LOW)

    assert not await other.hold(LOW)
    assert await other.hold(HIGH)

    assert await one.look() == {LOW, HIGH}
    await one.close()
    await other.close()


async def test_a_lock_is_free_when_its_connection_has_ended(presence: Presence) -> None:
    one, other = await presence.open(), await presence.open()
    await one.hold(LOW)

    await one.close()

    async def is_free() -> bool:
        return await other.look() == frozenset()

    assert await until(is_free, within_s=10)
    assert await other.hold(LOW)
    await other.close()


async def test_a_session_that_was_closed_answers_no_more_and_may_be_closed_again(presence: Presence) -> None:
    session = await presence.open()
    await session.hold(LOW)

    await session.close()
    await session.close()

    with pytest.raises(Unavailable):
        await session.look()
