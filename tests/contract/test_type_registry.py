"""``TypeRegistry``: what the processes tell each other of the types of job they know."""

from datetime import timedelta
from typing import Any

from attrs import evolve

from jobmill.application.ports.store import Store
from jobmill.application.ports.type_registry import StoredType, WorkerCard
from jobmill.domain.job_type import TypeRules
from jobmill.domain.retry_policy import RetryPolicy
from jobmill.domain.states import Priority

from tests.builders import DAY, HOUR, SECOND


def a_type(name: str = "resize", *, schema_hash: str = "h1", **facts: Any) -> StoredType:
    rules = TypeRules(
        name=name,
        queue="pictures",
        priority=Priority.HIGH,
        retry=RetryPolicy(max_attempts=7),
        ttl=timedelta(hours=2, microseconds=5),
        timeout=timedelta(seconds=1.5),
        payload_version=3,
        log_fields=("call_id",),
    )
    made_up: dict[str, Any] = {
        "name": name,
        "hash": schema_hash,
        "rules": rules,
        "reads_from": 2,
        "schema": {"$ref": "#/components/schemas/Resize", "description": "nul \0, half a pair \ud800"},
        "components": {"Resize": {"type": "object", "additionalProperties": False, "required": ["ä"]}},
    }
    return StoredType(**(made_up | facts))


def a_card(name: str = "worker-1", **types: str) -> WorkerCard:
    return WorkerCard(name=name, concurrency=10, types=types)


async def test_a_type_is_kept_as_it_was_declared(store: Store) -> None:
    declared = a_type()

    await store.types.declare([declared])

    [kept] = (await store.types.look()).types
    assert evolve(kept, declared_at=None) == declared
    assert kept.declared_at is not None
    assert abs(kept.declared_at - store.clock.now()) < HOUR


async def test_rules_that_change_replace_the_old_ones_and_another_schema_stands_beside(store: Store) -> None:
    await store.types.declare([a_type(), a_type("email")])

    newer = TypeRules(name="resize", queue="other")
    await store.types.declare([a_type(rules=newer, reads_from=1), a_type(schema_hash="h2")])

    kept = (await store.types.look()).types
    assert [(each.name, each.hash) for each in kept] == [("email", "h1"), ("resize", "h1"), ("resize", "h2")]
    assert (kept[1].rules, kept[1].reads_from) == (newer, 1)


async def test_declaring_nothing_is_harmless(store: Store) -> None:
    await store.types.declare([])

    assert (await store.types.look()).types == []


async def test_a_worker_is_seen_with_its_types_until_it_leaves(store: Store) -> None:
    await store.types.attend(a_card("b"))
    await store.types.attend(a_card("a", resize="h1"))

    [first, second] = (await store.types.look()).workers
    await store.types.leave("b")
    await store.types.leave("b")

    assert (first.card, second.card.name) == (a_card("a", resize="h1"), "b")
    assert [each.card.name for each in (await store.types.look()).workers] == ["a"]


async def test_a_worker_that_shows_itself_again_has_not_started_again(store: Store) -> None:
    await store.types.attend(a_card(resize="h1"))
    [before] = (await store.types.look()).workers

    await store.types.attend(a_card(resize="h2"))

    [after] = (await store.types.look()).workers
    assert after.started_at == before.started_at
    assert after.seen_at > before.seen_at
    assert after.card.types == {"resize": "h2"}


async def test_what_is_old_is_forgotten_up_to_the_limit(store: Store) -> None:
    """The store's clock cannot be moved, so what is declared now is older than an age below nothing."""
    await store.types.declare([a_type(schema_hash=str(number)) for number in range(3)])
    await store.types.attend(a_card())

    ages = {"types_after": DAY, "workers_after": HOUR}
    assert await store.types.forget(limit=2, **ages) == 0
    assert await store.types.forget(limit=2, types_after=-SECOND, workers_after=HOUR) == 2
    assert await store.types.forget(limit=2, types_after=-SECOND, workers_after=-SECOND) == 1

    seen = await store.types.look()
    assert (seen.types, seen.workers) == ([], [])
