"""What a client may ask for one job."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from jobmill.domain.errors import InvalidInput
from jobmill.domain.options import DELAY_MAX, JobOptions, Unique

from tests.builders import DAY, HOUR, NOW, SECOND


def faults_of(**wishes: Any) -> list[str]:
    with pytest.raises(InvalidInput) as refusal:
        JobOptions(**wishes).check()
    return [fault.pointer for fault in refusal.value.faults]


def test_asking_for_nothing_is_fine() -> None:
    JobOptions().check()


@pytest.mark.parametrize(
    "wishes",
    [
        {"ttl": timedelta(microseconds=1), "timeout": timedelta(microseconds=1)},
        {"ttl": 3650 * DAY, "timeout": DAY},
        {"delay": timedelta(0)},
        {"delay": DELAY_MAX},
        {"run_at": NOW},
        {"max_attempts": 1},
        {"max_attempts": 100},
        {"correlation_id": "x", "idempotency_key": "k" * 255, "tenant": "ü" * 255},
        {"tags": tuple("t" * 50 for _ in range(10))},
        {"unique": Unique(key="k", hold=DELAY_MAX)},
    ],
)
def test_wishes_up_to_the_limits_are_fine(wishes: dict[str, Any]) -> None:
    JobOptions(**wishes).check()


@pytest.mark.parametrize(
    ("wishes", "pointer"),
    [
        ({"ttl": timedelta(0)}, "/ttl_s"),
        ({"ttl": -SECOND}, "/ttl_s"),
        ({"ttl": 3650 * DAY + SECOND}, "/ttl_s"),
        ({"timeout": timedelta(0)}, "/timeout_s"),
        ({"timeout": DAY + SECOND}, "/timeout_s"),
        ({"delay": -SECOND}, "/delay_s"),
        ({"delay": DELAY_MAX + SECOND}, "/delay_s"),
        ({"delay": HOUR, "run_at": NOW}, "/run_at"),
        ({"run_at": datetime(2030, 1, 1)}, "/run_at"),  # noqa: DTZ001
        ({"max_attempts": 0}, "/max_attempts"),
        ({"max_attempts": 101}, "/max_attempts"),
        ({"correlation_id": ""}, "/correlation_id"),
        ({"correlation_id": "c" * 256}, "/correlation_id"),
        ({"correlation_id": "a\r\nb: c"}, "/correlation_id"),
        ({"idempotency_key": "k\0"}, "/idempotency_key"),
        ({"tenant": "a\tb"}, "/tenant"),
        ({"tags": ("fine", "")}, "/tags/1"),
        ({"tags": ("t" * 51,)}, "/tags/0"),
        ({"tags": tuple("abcdefghijk")}, "/tags"),
        ({"unique": Unique(key="")}, "/unique/key"),
        ({"unique": Unique(key="k", hold=-SECOND)}, "/unique/hold_s"),
        ({"unique": Unique(key="k", hold=DELAY_MAX + SECOND)}, "/unique/hold_s"),
    ],
)
def test_a_wish_beyond_the_limits_is_refused(wishes: dict[str, Any], pointer: str) -> None:
    assert faults_of(**wishes) == [pointer]


def test_all_faults_are_named_at_once() -> None:
    assert faults_of(ttl=-SECOND, max_attempts=0, tenant="", tags=("ok", "not\nok")) == [
        "/ttl_s",
        "/tenant",
        "/tags/1",
        "/max_attempts",
    ]
