"""Requests for jobs, read from plain values."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobmill.application.codec.strict_json import FAULTS_MAX
from jobmill.application.codec.submit_request import FIELD_NAMES, read_submit, read_time
from jobmill.application.commands import SubmitJob
from jobmill.domain.options import DELAY_MAX, JobOptions, Unique
from jobmill.domain.states import Priority


def a_request(**changes: Any) -> dict[str, Any]:
    return {"type": "email", "payload": {"recipient": "ada"}, **changes}


def places(command: SubmitJob) -> list[str]:
    return [fault.pointer for fault in command.faults]


def test_a_request_needs_a_type_and_a_payload_alone() -> None:
    assert read_submit(a_request()) == SubmitJob(type="email", payload={"recipient": "ada"})


def test_every_option_is_read() -> None:
    command = read_submit(
        a_request(
            queue="mail",
            priority="high",
            run_at="2030-01-01T02:00:00+02:00",
            delay_s=0.5,
            ttl_s=60,
            max_attempts=5,
            timeout_s=1.5,
            correlation_id="c",
            idempotency_key="k",
            tenant="t",
            tags=["a", "b"],
            unique={"key": "u", "hold_s": 3},
        )
    )

    assert command.faults == ()
    assert command.options == JobOptions(
        queue="mail",
        priority=Priority.HIGH,
        run_at=datetime(2030, 1, 1, tzinfo=UTC),
        delay=timedelta(seconds=0.5),
        ttl=timedelta(seconds=60),
        max_attempts=5,
        timeout=timedelta(seconds=1.5),
        correlation_id="c",
        idempotency_key="k",
        tenant="t",
        tags=("a", "b"),
        unique=Unique(key="u", hold=timedelta(seconds=3)),
    )


def test_a_unique_key_may_stand_alone() -> None:
    assert read_submit(a_request(unique="u")).options.unique == Unique(key="u")


@pytest.mark.parametrize("value", [None, "email", 7, [], True])
def test_what_is_no_object_has_one_fault(value: object) -> None:
    assert places(read_submit(value)) == [""]


@pytest.mark.parametrize("name", [name for name in FIELD_NAMES if name != "payload"])
def test_null_is_no_way_to_leave_an_option_out(name: str) -> None:
    assert places(read_submit(a_request(**{name: None}))) == [f"/{name}"]


def test_a_payload_is_taken_as_it_is() -> None:
    assert read_submit(a_request(payload=None)).faults == ()


def test_what_is_missing_is_told() -> None:
    assert places(read_submit({})) == ["/type", "/payload"]


def test_all_faults_are_told_and_the_rest_is_still_read() -> None:
    command = read_submit(a_request(priority=7, tags=["a", 1, None], unique={"hold_s": "x"}, x=1, ttl_s=-5))

    assert places(command) == ["/priority", "/tags/1", "/tags/2", "/unique/key", "/unique/hold_s", "/x"]
    assert command.options == JobOptions(ttl=timedelta(seconds=-5))


@pytest.mark.parametrize("seconds", [1e300, -1e300, 2**63, -(2**63)])
def test_a_duration_beyond_all_bounds_is_left_to_the_rule_to_refuse(seconds: float) -> None:
    delay = read_submit(a_request(delay_s=seconds)).options.delay

    assert delay is not None
    assert not timedelta(0) <= delay <= DELAY_MAX


def test_a_key_beside_the_request_is_the_key() -> None:
    assert read_submit(a_request(), idempotency_key="k").options.idempotency_key == "k"


@pytest.mark.parametrize(("inside", "found"), [("k", []), ("other", ["/idempotency_key"])])
def test_a_key_inside_must_be_the_same(inside: str, found: list[str]) -> None:
    command = read_submit(a_request(idempotency_key=inside), idempotency_key="k")

    assert places(command) == found


def test_names_that_nobody_knows_are_told_up_to_a_bound_and_not_at_full_length() -> None:
    command = read_submit({f"{at}{'x' * 500}": 0 for at in range(FAULTS_MAX * 2)})

    assert FAULTS_MAX <= len(command.faults) <= FAULTS_MAX + 2
    assert max(map(len, places(command))) <= 101


@pytest.mark.parametrize(
    "text", ["2030-01-01T00:00:00Z", "2030-01-01T02:00:00+02:00", "2030-01-01t00:00:00.000z"]
)
def test_a_time_has_a_zone(text: str) -> None:
    assert read_time(text) == datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2030-01-01T00:00:00", "2030-01-01", "now", "", 7, None, "2030-13-01T00:00:00Z"]
)
def test_anything_else_is_no_time(text: object) -> None:
    with pytest.raises(TypeError, match="time with its zone"):
        read_time(text)
