"""Whatever bytes and values come, the codec reads them or refuses them: it knows no third way."""

import json
from datetime import UTC, date, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest
from hypothesis import strategies as st

from jobmill.application.codec.parcels import (
    FutureParcel,
    UnreadableParcel,
    encode_notice,
    join_notices,
    open_parcel,
)
from jobmill.application.codec.payload_schema import PayloadSchema, UnencodableResult, write_result
from jobmill.application.codec.strict_json import MalformedJson, canonical_json, read_json
from jobmill.application.codec.submit_request import read_submit
from jobmill.application.errors import InvalidPayload
from jobmill.application.shipped.emails import Email
from jobmill.application.shipped.simulations import Simulation
from jobmill.application.shipped.webhooks import Webhook
from jobmill.domain.errors import InvalidInput
from jobmill.entrypoints.http.job_query import dead_letter_query, job_query

from tests.builders import NOW, a_job
from tests.fuzz.conftest import Tried
from tests.fuzz.strategies import EVIL_BYTES, changed, every, every_damage, json_values, texts
from tests.unit.application.codec.shapes import Everything, Note, Owner
from tests.unit.entrypoints.http.api_world import ApiWorld, Thumbnail

pytestmark = pytest.mark.timeout(600)

REQUESTS: Final[tuple[dict[str, Any], ...]] = (
    {"type": "email", "payload": {"recipient": "ada@example.com", "subject": "Hi", "body": "Hello"}},
    {
        "type": "thumbnail.make",
        "payload": {"picture": "a.png", "sizes": [{"width": 1, "height": 2}], "quality": 0.5, "mode": "crop"},
        "queue": "default",
        "priority": "high",
        "run_at": "2030-01-31T08:00:00Z",
        "ttl_s": 60,
        "max_attempts": 3,
        "timeout_s": 1.5,
    },
    {
        "type": "anything",
        "payload": {"a": [1, {"b": None}]},
        "delay_s": 5,
        "correlation_id": "c",
        "idempotency_key": "k",
        "tenant": "t",
        "tags": ["x", "y"],
        "unique": {"key": "u", "hold_s": 3600},
    },
)


def parcels() -> list[bytes]:
    """Real ones: one notice, several, with every field set, with none."""
    full = a_job(
        attempt=2,
        run_at=NOW,
        retry_at=NOW,
        ttl=timedelta(hours=1),
        expires_at=NOW + timedelta(hours=1),
        announced_at=NOW,
        edition=1,
        postpones=1,
        announces=1,
        suspect=True,
        correlation_id="c",
        idempotency_key="k",
        tenant="t",
        tags=("x", "y"),
    )
    notices = [encode_notice(full), encode_notice(a_job()), encode_notice(a_job(payload='{"ü":[1.5,null]}'))]
    return [join_notices(notices[:1]), join_notices(notices), join_notices([]), json_spaced(notices[1])]


def json_spaced(notice: bytes) -> bytes:
    """A parcel written by another encoder than ours."""
    return json.dumps({"jobs": [json.loads(notice)], "more": 1, "schema": 1}, indent=1).encode()


def document_bytes() -> st.SearchStrategy[bytes]:
    """Bytes that may be JSON, nearly are, or are not at all."""
    written = json_values().map(
        lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    )
    pieces = st.lists(st.sampled_from(EVIL_BYTES) | st.binary(max_size=4), max_size=8).map(b"".join)
    return st.binary(max_size=60) | written | pieces


def test_any_bytes_are_json_that_can_be_written_again_or_are_refused(tried: Tried, factor: int) -> None:
    def check(raw: bytes) -> None:
        try:
            value = read_json(raw)
        except MalformedJson as refusal:
            can_be_told(refusal)
        else:
            assert read_json(canonical_json(value)) == value

    tried(every(document_bytes(), check, cases=600, factor=factor))
    tried(every_damage([json.dumps(each).encode() for each in REQUESTS], check, cases=10_000, factor=factor))


def test_any_bytes_are_a_parcel_of_whole_jobs_or_are_refused(tried: Tried, factor: int) -> None:
    def check(raw: bytes) -> None:
        try:
            opened = open_parcel(raw)
        except (UnreadableParcel, FutureParcel):
            return
        for job in opened.jobs:
            assert open_parcel(join_notices([encode_notice(job)])).jobs == (job,)
            msgspec.json.decode(job.payload)
        for bad in opened.bad:
            assert bad.reason

    documents = [json.loads(raw) for raw in parcels()]
    written = changed(documents).map(lambda value: json.dumps(value).encode())
    tried(every(written, check, cases=700, factor=factor))
    tried(every_damage(parcels(), check, cases=20_000, factor=factor))


def test_any_value_is_a_request_that_is_accepted_or_refused_with_its_faults(
    tried: Tried, factor: int
) -> None:
    submitter = ApiWorld().services.submitter

    def check(value: object) -> None:
        try:
            command = read_submit(read_json(json.dumps(value).encode()))
            submitter._new_job(command, "")
        except InvalidInput as refusal:
            can_be_told(refusal)

    tried(every(changed(REQUESTS) | json_values(), check, cases=700, factor=factor))


@pytest.mark.parametrize("model", [Email, Webhook, Simulation, Thumbnail, Owner, Note, Everything, dict])
def test_any_value_is_a_payload_or_is_refused_with_its_faults(model: type, tried: Tried, factor: int) -> None:
    schema: PayloadSchema[Any] = PayloadSchema(model)

    def check(value: object) -> None:
        try:
            schema.structure(read_json(json.dumps(value).encode()))
        except InvalidInput as refusal:
            can_be_told(refusal)

    payloads = [
        *(request["payload"] for request in REQUESTS),
        {"url": "https://example.com/", "body": {"a": 1}, "headers": {"x-a": "b"}, "method": "PUT"},
        {"duration_s": 1, "fail_first": 2, "failure": "permanent"},
        {"firstName": "Ada", "pets": [{"type": "cat", "lives": 9}], "bestFriend": {"firstName": "Bob"}},
        {"at": "2030-01-31T08:00:00Z", "lines": [{"text": "a", "size": 1}], "author": None},
    ]
    tried(every(changed(payloads) | json_values(), check, cases=200, factor=factor))


def test_any_text_is_a_stored_payload_or_is_refused(tried: Tried, factor: int) -> None:
    schema = PayloadSchema(Simulation)

    def check(text: str) -> None:
        try:
            schema.read(text)
        except InvalidPayload as refusal:
            can_be_told(refusal)

    written = json_values().map(json.dumps)
    tried(every(texts() | written, check, cases=300, factor=factor))


def test_any_return_value_of_a_handler_is_a_result_or_is_refused(tried: Tried, factor: int) -> None:
    def check(value: object) -> None:
        try:
            text = write_result(value, limit_bytes=1_000)
        except UnencodableResult:
            return
        assert text is None or len(text.encode()) <= 1_000

    loop: list[object] = []
    loop.append(loop)
    odd = st.sampled_from(
        (object(), print, int, 1j, {1: 2}, {(1, 2): 3}, {1, 2}, b"\xff", loop, {"a": loop}, date(1, 1, 1))
    )
    known = st.just(UUID(int=0)) | st.datetimes(timezones=st.just(UTC)) | st.decimals() | st.binary()
    tried(every(st.lists(odd | known | json_values(), max_size=3), check, cases=300, factor=factor))


def test_any_query_asks_for_a_page_or_is_refused(tried: Tried, factor: int) -> None:
    queries = (
        b"status=queued,failed&type=email&queue=mail&tag=x&tenant=t&limit=10&order=asc&kind=failed",
        b"created_from=2030-01-31T08:00:00%2B01:00&created_before=2031-01-01T00:00:00Z&correlation_id=c",
        b"cursor=" + b"A" * 22 + b"&limit=200",
    )

    def check(raw: bytes) -> None:
        for read in (job_query, dead_letter_query):
            try:
                read(raw)
            except InvalidInput as refusal:
                can_be_told(refusal)

    percent = st.binary(max_size=8).map(lambda raw: b"type=" + b"".join(b"%%%02x" % byte for byte in raw))
    tried(every(percent | st.binary(max_size=40), check, cases=200, factor=factor))
    tried(every_damage(queries, check, cases=5_000, factor=factor))


def can_be_told(refusal: InvalidInput) -> None:
    """There is a reason, and it can be written as JSON."""
    assert refusal.faults
    for fault in refusal.faults:
        assert fault.detail
        msgspec.json.encode([fault.pointer, fault.detail])
