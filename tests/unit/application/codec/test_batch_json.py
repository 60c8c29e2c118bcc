"""A long batch is cut into its items, whatever stands in them; another document is refused."""

import json

import pytest

from jobmill.application.codec.batch_json import ITEM_BYTES_MAX, BatchCutter
from jobmill.application.codec.strict_json import MalformedJson
from jobmill.application.errors import TooLarge
from jobmill.domain.errors import InvalidInput

CUTTER = BatchCutter(4)


def refused(raw: bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as refusal:
        CUTTER.items(raw)
    return refusal.value


def test_the_items_come_as_they_were_written() -> None:
    raw = b' {\n"jobs" :\t[ {"a": 1} ,[2,\t3],"]}", null ] } \r\n'

    assert CUTTER.items(raw) == [b'{"a": 1}', b"[2,\t3]", b'"]}"', b"null"]


def test_a_batch_may_be_empty() -> None:
    assert CUTTER.items(b'{"jobs":[]}') == []


def test_an_item_too_many_is_refused_and_all_behind_it_left_unread() -> None:
    assert [fault.pointer for fault in refused(b'{"jobs":[1,2,3,4,5,!').faults] == ["/jobs"]
    assert "1 to 4 jobs" in str(refused(b'{"jobs":[1,2,3,4,5]}'))


@pytest.mark.parametrize("raw", [b'{"jobs":{}}', b'{"jobs":7}', b'{"jobs":null}', b'{"jobs":"[]"}'])
def test_what_is_no_list_is_refused(raw: bytes) -> None:
    assert str(refused(raw)) == "/jobs: must be a list"


@pytest.mark.parametrize("raw", [b"[]", b'{"atomic":true,"jobs":[]}', b'{"Jobs":[]}', b'"jobs":[]', b"\xff"])
def test_what_does_not_begin_with_its_jobs_is_refused(raw: bytes) -> None:
    assert 'must be {"jobs": […]}' in str(refused(raw))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"jobs":[1',
        b'{"jobs":[1]',
        b'{"jobs":[1,]}',
        b'{"jobs":[1 2]}',
        b'{"jobs":[NaN]}',
        b'{"jobs":[1]}}',
        b'{"jobs":[1],"jobs":[2]}',
        b'{"jobs":[1],"atomic":true}',
        b'{"jobs":[1]}[',
        b'{"jobs":',
        b'{"jobs":}',
        b'{"jobs":' + b"[" * 100_000,
    ],
)
def test_what_is_no_json_or_goes_on_behind_its_jobs_is_refused(raw: bytes) -> None:
    assert isinstance(refused(raw), MalformedJson)


def test_an_item_longer_than_any_request_is_refused_at_its_place() -> None:
    raw = json.dumps({"jobs": ["", "x" * ITEM_BYTES_MAX]}).encode()

    refusal = refused(raw)

    assert isinstance(refusal, TooLarge)
    assert [fault.pointer for fault in refusal.faults] == ["/jobs/1"]
