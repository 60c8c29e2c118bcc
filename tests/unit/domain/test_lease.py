"""How long a worker may believe in its lease."""

from datetime import timedelta
from typing import Any

import pytest

from jobmill.domain.errors import InvalidInput
from jobmill.domain.lease import LeasePolicy

from tests.builders import SECOND


def test_belief_ends_a_margin_before_the_lease() -> None:
    policy = LeasePolicy(ttl=15 * SECOND, margin=SECOND)

    assert policy.belief_ends(100.0) == 114.0


def test_a_renewal_may_fail_once() -> None:
    policy = LeasePolicy()

    assert 2 * policy.renew_every <= policy.ttl - policy.margin


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"renew_every": timedelta(0)}, "/renew_every"),
        ({"renew_every": -SECOND}, "/renew_every"),
        ({"renew_every": 7 * SECOND + timedelta(microseconds=1)}, "/renew_every"),
        ({"margin": 15 * SECOND}, "/renew_every"),
        ({"ack_deadline": 14.9 * SECOND}, "/ack_deadline"),
    ],
)
def test_times_that_do_not_fit_each_other_are_refused(facts: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        LeasePolicy(**facts)

    assert [fault.pointer for fault in refusal.value.faults] == [pointer]


def test_times_that_just_fit_are_taken() -> None:
    assert LeasePolicy(renew_every=7 * SECOND, ack_deadline=15 * SECOND).renew_every == 7 * SECOND
