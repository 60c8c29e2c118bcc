"""Names of types and queues, and the rules of a type."""

from datetime import timedelta
from typing import Any

import pytest

from jobmill.domain.errors import InvalidInput
from jobmill.domain.job_type import RESERVED_QUEUES, TypeRules, queue_name, type_name

from tests.builders import DAY, SECOND


@pytest.mark.parametrize("name", ["a", "email", "order.charge", "a-b_c.9", "x" * 100])
def test_a_type_may_have_this_name(name: str) -> None:
    assert type_name(name) == name


def test_a_type_is_the_same_in_any_case() -> None:
    assert type_name("Order.CHARGE") == "order.charge"


@pytest.mark.parametrize("name", ["", "9lives", ".a", "a b", "a/b", "naïve", "x" * 101, "a\n"])
def test_a_type_may_not_have_this_name(name: str) -> None:
    with pytest.raises(InvalidInput, match="/type"):
        type_name(name)


@pytest.mark.parametrize("name", ["a", "default", "task_events", "a-9", "q" * 50])
def test_a_queue_may_have_this_name(name: str) -> None:
    assert queue_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "9", "a.b", "q" * 51, "a\n"])
def test_a_queue_may_not_have_this_name(name: str) -> None:
    with pytest.raises(InvalidInput, match="no name for a queue"):
        queue_name(name)


@pytest.mark.parametrize("name", sorted(RESERVED_QUEUES))
def test_the_brokers_own_names_are_reserved(name: str) -> None:
    with pytest.raises(InvalidInput, match="reserved"):
        queue_name(name)


def test_a_type_needs_only_a_name() -> None:
    rules = TypeRules(name="Email")

    assert (rules.name, rules.queue, rules.ttl, rules.timeout) == ("email", "default", None, 60 * SECOND)


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"name": "?"}, "/type"),
        ({"queue": "?"}, "/queue"),
        ({"timeout": timedelta(0)}, "/timeout"),
        ({"timeout": DAY + SECOND}, "/timeout"),
        ({"ttl": timedelta(0)}, "/ttl"),
        ({"ttl": 3651 * DAY}, "/ttl"),
        ({"payload_version": 0}, "/version"),
        ({"payload_version": 10_001}, "/version"),
    ],
)
def test_rules_out_of_range_are_refused(facts: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        TypeRules(**({"name": "email"} | facts))

    assert [fault.pointer for fault in refusal.value.faults] == [pointer]


def test_rules_at_the_limit_are_fine() -> None:
    assert TypeRules(name="email", timeout=DAY, ttl=3650 * DAY).timeout == DAY
