"""JSON made to cost as much as possible costs little, and its refusal has an end."""

import json

import msgspec
import pytest

from jobmill.application.codec.strict_json import CONTAINERS_MAX, FAULTS_MAX, MalformedJson, read_json


def refused(raw: bytes) -> MalformedJson:
    with pytest.raises(MalformedJson) as refusal:
        read_json(raw)
    return refusal.value


def test_only_so_many_faults_are_told() -> None:
    texts = json.dumps(["\x01"] * (FAULTS_MAX + 500)).encode()

    assert len(refused(texts).faults) == FAULTS_MAX


def test_a_long_name_does_not_stand_at_full_length_in_every_place() -> None:
    refusal = refused(json.dumps({"n" * 100_000: ["\x01"] * FAULTS_MAX}).encode())

    assert max(len(fault.pointer) for fault in refusal.faults) < 200


def test_many_places_below_a_long_name_are_looked_at_quickly() -> None:
    document = json.dumps({"n" * 1_000_000: [[]] * 100_000}).encode()

    assert read_json(document) == {"n" * 1_000_000: [[]] * 100_000}


def test_a_name_that_comes_twice_among_many_is_found_quickly() -> None:
    names = ",".join(f'"{at}":0' for at in [*range(100_000), 99_999])

    assert "'99999' twice" in str(refused(f"{{{names}}}".encode()))


@pytest.mark.parametrize("raw", [rb'{"\ud800":"\ud800"}', rb'{"a":{"\udfff":1}}'])
def test_a_refusal_can_be_written_whatever_it_names(raw: bytes) -> None:
    for fault in refused(raw).faults:
        msgspec.json.encode(fault.pointer)


@pytest.mark.parametrize(("depth", "is_fine"), [(32, True), (33, False)])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_has_a_bound(opening: str, closing: str, depth: int, is_fine: bool) -> None:
    inside = "[]" if opening == "[" else "{}"
    document = (opening * (depth - 1) + inside + closing * (depth - 1)).encode()

    if is_fine:
        read_json(document)
    else:
        assert "deeper" in str(refused(document))


def test_a_document_of_nothing_but_brackets_is_refused_unread() -> None:
    assert "objects and lists" in str(refused(b"[" + b"[]," * CONTAINERS_MAX + b"["))


def test_a_document_with_as_many_parts_as_a_batch_may_have_is_read() -> None:
    assert len(read_json(b"[" + b"{}," * (CONTAINERS_MAX - 2) + b"{}]")) == CONTAINERS_MAX - 1  # type: ignore[arg-type]


def test_a_text_alone_is_looked_at_too() -> None:
    assert [fault.pointer for fault in refused(b'"\\u0007"').faults] == [""]
