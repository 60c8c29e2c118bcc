"""The wire format: what is packed comes out again, and no bytes in the world do harm."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobmill.application.codec.parcels import (
    BODY_BYTES_MAX,
    SCHEMA,
    FutureParcel,
    UnreadableParcel,
    encode_notice,
    join_notices,
    open_parcel,
)
from jobmill.domain.job import Job
from jobmill.domain.states import JobState, Priority

from tests.builders import NOW, SECOND, a_job

#: What the row alone decides, and what says how a job ended.
STAYS_AT_HOME = {
    "wake_at",
    "started_at",
    "finished_at",
    "worker",
    "lease_until",
    "stop_asked",
    "error",
    "error_kind",
    "result",
    "follows",
    "chain_depth",
    "batch",
    "batch_size",
    "origin",
}
FULL = a_job(
    type="mail.send",
    queue="email",
    priority=Priority.HIGH,
    payload='{"to":"ada","text":"\\u00e4 \\" \\\\ €"}',
    state=JobState.RETRYING,
    version=7,
    stamp=-(2**63),
    max_attempts=9,
    timeout=timedelta(milliseconds=1_500),
    updated_at=NOW + SECOND,
    attempt=3,
    run_at=NOW + 2 * SECOND,
    retry_at=NOW + 3 * SECOND + timedelta(microseconds=1),
    ttl=timedelta(days=3650),
    expires_at=datetime.max.replace(tzinfo=UTC),
    announced_at=NOW + 5 * SECOND,
    edition=1,
    postpones=99,
    announces=2,
    suspect=True,
    correlation_id="c",
    idempotency_key="k",
    tenant="t",
    tags=("a", "b"),
    payload_version=2,
    inherited='{"path":"\u00e4"}',
)
TIMES = st.datetimes(timezones=st.just(UTC))
COUNTS = st.integers(0, 2**31 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def parcel_of(*jobs: Job) -> bytes:
    return join_notices([encode_notice(job) for job in jobs])


def envelope(*notices: dict[str, Any], schema: object = SCHEMA) -> bytes:
    return json.dumps({"jobs": list(notices), "schema": schema}).encode()


TWO = parcel_of(FULL, a_job())


def snapshot(**changes: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(encode_notice(a_job()))
    return read | changes


def test_every_field_that_travels_comes_out_as_it_went_in() -> None:
    assert open_parcel(parcel_of(FULL)).jobs == (FULL,)


def test_the_full_job_of_this_test_leaves_no_field_out() -> None:
    plain = a_job()
    same = {each.name for each in attrs.fields(Job) if getattr(FULL, each.name) == getattr(plain, each.name)}

    assert same == STAYS_AT_HOME | {"created_at"}


@pytest.mark.parametrize("name", sorted(STAYS_AT_HOME))
def test_what_the_row_alone_decides_does_not_travel(name: str) -> None:
    assert name not in json.loads(encode_notice(attrs.evolve(FULL, error="x", worker="w", result="1")))


@given(
    st.builds(
        a_job,
        payload=st.dictionaries(TEXTS, TEXTS).map(json.dumps),
        version=st.integers(1, 2**31 - 1),
        stamp=st.integers(-(2**63), 2**63 - 1),
        state=st.sampled_from(JobState),
        priority=st.sampled_from(Priority),
        attempt=COUNTS,
        postpones=COUNTS,
        timeout=st.timedeltas(timedelta(milliseconds=1), timedelta(days=1)),
        created_at=TIMES,
        retry_at=st.none() | TIMES,
        expires_at=st.none() | TIMES,
        tags=st.lists(TEXTS, max_size=10).map(tuple),
        tenant=st.none() | TEXTS,
    )
)
def test_any_job_comes_out_as_it_went_in(job: Job) -> None:
    [opened] = open_parcel(parcel_of(job)).jobs

    assert attrs.evolve(opened, payload="") == attrs.evolve(job, payload="")
    assert json.loads(opened.payload) == json.loads(job.payload)


def test_the_order_is_kept() -> None:
    jobs = tuple(a_job() for _ in range(5))

    assert open_parcel(parcel_of(*jobs)).jobs == jobs


def test_a_parcel_in_another_writing_is_read_as_well() -> None:
    job = a_job(payload='{"to":"ada"}')
    spaced = json.dumps(json.loads(parcel_of(job)), indent=2, sort_keys=True).encode()

    [opened] = open_parcel(spaced).jobs

    assert json.loads(opened.payload) == {"to": "ada"}
    assert attrs.evolve(opened, payload=job.payload) == job


def test_fields_of_a_later_release_are_no_fault() -> None:
    assert len(open_parcel(envelope(snapshot(colour="blue"))).jobs) == 1


@pytest.mark.parametrize(
    "damage",
    [
        {"id": "no id"},
        {"state": "lost"},
        {"priority": None},
        {"version": 0},
        {"version": 2**31},
        {"stamp": 2**63},
        {"stamp": -(2**63) - 1},
        {"attempt": -1},
        {"attempt": 2**31},
        {"timeout_s": 1e300},
        {"ttl_s": -1e300},
        {"created_at": "2030-01-01T00:00:00"},
        {"retry_at": "2030-01-01T00:00:00"},
        {"expires_at": "2030-01-01T00:00:00"},
        {"tags": "abc"},
    ],
)
def test_a_bad_notice_does_not_spoil_its_neighbours(damage: dict[str, Any]) -> None:
    good, bad = snapshot(), snapshot(**damage)

    opened = open_parcel(envelope(good, bad, good))

    assert [str(job.id) for job in opened.jobs] == [good["id"], good["id"]]
    assert [json.loads(each.raw) for each in opened.bad] == [bad]
    assert opened.bad[0].reason


def test_a_bad_notice_in_a_parcel_of_ours_is_found_as_well() -> None:
    good = a_job()
    body = join_notices([encode_notice(good), b'{"id":7}', encode_notice(good)])

    opened = open_parcel(body)

    assert opened.jobs == (good, good)
    assert [each.raw for each in opened.bad] == [b'{"id":7}']


@pytest.mark.parametrize("body", [envelope(schema=2), b'{"schema":99,"batch":"of another shape"}'])
def test_a_parcel_of_a_later_schema_is_told_from_a_damaged_one(body: bytes) -> None:
    with pytest.raises(FutureParcel):
        open_parcel(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"null",
        b"[]",
        b"{}",
        b'{"schema":1}',
        b'{"jobs":[]}',
        b'{"schema":0,"jobs":[]}',
        b'{"schema":"1","jobs":[]}',
        b'{"schema":1,"jobs":{}}',
        b'{"schema":1,"jobs":[',
        b'{"schema":1,"jobs":[' + 100_000 * b"[",
        b'{"schema":1,"jobs":[' + 100_000 * b'{"payload":',
        100_000 * b"[",
        b'{"schema":1,"jobs":[\xff]}',
        b"\x00\x01\x02",
    ],
)
def test_what_is_no_parcel_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableParcel):
        open_parcel(body)


NAMES = snapshot(retry_at=None, ttl_s=1)


def _tries(body: bytes) -> None:
    try:
        open_parcel(body)
    except (UnreadableParcel, FutureParcel):
        pass


@given(st.binary(max_size=300))
def test_hostile_bytes_raise_nothing_else(body: bytes) -> None:
    _tries(body)
    _tries(b'{"schema":1,"jobs":[' + body)


@given(st.data())
def test_a_parcel_with_some_bytes_changed_raises_nothing_else(data: st.DataObject) -> None:
    body = bytearray(TWO)
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    _tries(bytes(body))


@given(
    st.dictionaries(
        st.sampled_from(sorted(NAMES)),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | TEXTS,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        ),
    )
)
def test_a_notice_with_any_values_is_a_job_or_a_bad_notice(changes: dict[str, Any]) -> None:
    opened = open_parcel(envelope(snapshot(**changes)))

    assert len(opened.jobs) + len(opened.bad) == 1


def test_more_bytes_than_any_parcel_has_are_not_looked_into() -> None:
    with pytest.raises(UnreadableParcel, match=r"1,048,577 bytes"):
        open_parcel(join_notices([]).ljust(BODY_BYTES_MAX + 1))
