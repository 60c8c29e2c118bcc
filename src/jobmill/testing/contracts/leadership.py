"""``Leadership``: one holder of a role at a time, by the store's clock."""

from jobmill.application.ports.store import Store
from jobmill.testing.builders import HOUR


async def test_a_free_role_is_taken(store: Store) -> None:
    assert await store.leadership.hold("reconciler", holder="a", ttl=HOUR)


async def test_a_held_role_is_refused_to_others(store: Store) -> None:
    await store.leadership.hold("reconciler", holder="a", ttl=HOUR)

    assert not await store.leadership.hold("reconciler", holder="b", ttl=HOUR)


async def test_a_refusal_changes_nothing(store: Store) -> None:
    await store.leadership.hold("reconciler", holder="a", ttl=HOUR)
    await store.leadership.hold("reconciler", holder="b", ttl=-HOUR)

    assert not await store.leadership.hold("reconciler", holder="b", ttl=HOUR)


async def test_the_holder_keeps_the_role(store: Store) -> None:
    await store.leadership.hold("reconciler", holder="a", ttl=HOUR)

    assert await store.leadership.hold("reconciler", holder="a", ttl=HOUR)


async def test_a_role_whose_time_is_over_is_free(store: Store) -> None:
    await store.leadership.hold("reconciler", holder="a", ttl=-HOUR)

    assert await store.leadership.hold("reconciler", holder="b", ttl=HOUR)
    assert not await store.leadership.hold("reconciler", holder="a", ttl=HOUR)


async def test_keeping_a_role_sets_its_end_anew(store: Store) -> None:
    await store.leadership.hold("reconciler", holder="a", ttl=HOUR)
    await store.leadership.hold("reconciler", holder="a", ttl=-HOUR)

    assert await store.leadership.hold("reconciler", holder="b", ttl=HOUR)


async def test_roles_do_not_depend_on_each_other(store: Store) -> None:
    await store.leadership.hold("reconciler", holder="a", ttl=HOUR)

    assert await store.leadership.hold("scheduler", holder="b", ttl=HOUR)


async def test_a_role_given_up_is_free(store: Store) -> None:
    await store.leadership.hold("reconciler", holder="a", ttl=HOUR)

    await store.leadership.resign("reconciler", holder="a")

    assert await store.leadership.hold("reconciler", holder="b", ttl=HOUR)


async def test_only_the_holder_gives_a_role_up(store: Store) -> None:
    await store.leadership.hold("reconciler", holder="a", ttl=HOUR)

    await store.leadership.resign("reconciler", holder="b")
    await store.leadership.resign("nothing", holder="b")

    assert not await store.leadership.hold("reconciler", holder="b", ttl=HOUR)


async def test_the_last_holder_is_known_until_the_role_is_given_up(store: Store) -> None:
    assert await store.leadership.holder("reconciler") is None

    await store.leadership.hold("reconciler", holder="a", ttl=-HOUR)
    await store.leadership.hold("scheduler", holder="b", ttl=HOUR)
    assert await store.leadership.holder("reconciler") == "a"

    await store.leadership.resign("reconciler", holder="a")
    assert await store.leadership.holder("reconciler") is None
