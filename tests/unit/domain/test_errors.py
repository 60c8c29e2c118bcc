"""Refusals say what was wrong, for programs and for people."""

from jobmill.domain.errors import Fault, IllegalTransition, InvalidInput, JobmillError, joined

from tests.builders import an_id


def test_every_refusal_has_the_same_root_and_a_code() -> None:
    assert issubclass(InvalidInput, JobmillError)
    assert issubclass(IllegalTransition, JobmillError)
    assert (InvalidInput.code, IllegalTransition.code) == ("invalid-input", "illegal-transition")


def test_invalid_input_names_all_its_faults() -> None:
    error = InvalidInput(Fault(pointer="/a", detail="too long"), Fault(pointer="", detail="no object"))

    assert str(error) == "/a: too long; (input): no object"
    assert [fault.pointer for fault in error.faults] == ["/a", ""]
    assert error.errors == [("/a", "too long"), ("", "no object")]


def test_a_refusal_may_go_under_a_code_of_its_own() -> None:
    fault = Fault(pointer="/a", detail="too long")

    assert InvalidInput(fault, code="too-large").code == "too-large"
    assert InvalidInput(fault).code == "invalid-input"


def test_faults_of_a_part_are_told_by_their_place_in_the_whole() -> None:
    part = InvalidInput(Fault(pointer="/to", detail="missing"), Fault(pointer="", detail="odd"), code="bad")

    moved = part.below("/jobs/3")

    assert [fault.pointer for fault in moved.faults] == ["/jobs/3/to", "/jobs/3"]
    assert moved.code == "bad"
    assert part.below("") is part


def test_several_refusals_are_told_as_one() -> None:
    one = InvalidInput(Fault(pointer="/a", detail="x"), code="same")
    other = InvalidInput(Fault(pointer="/b", detail="y"), code="same")

    both = joined([one, other])

    assert [fault.pointer for fault in both.faults] == ["/a", "/b"]
    assert both.code == "same"
    assert joined([one]) is one


def test_refusals_of_several_kinds_go_under_the_general_code() -> None:
    one = InvalidInput(Fault(pointer="/a", detail="x"), code="this")
    other = InvalidInput(Fault(pointer="/b", detail="y"), code="that")

    assert joined([one, other]).code == "invalid-input"


def test_an_illegal_transition_says_what_was_tried_on_what() -> None:
    job_id = an_id()

    plain = IllegalTransition(job_id=job_id, state="queued", verb="hand_back")
    explained = IllegalTransition(job_id=job_id, state="processing", verb="stop", reason="nobody asked")

    assert str(plain) == f"cannot hand back job {job_id}: it is queued"
    assert str(explained) == f"cannot stop job {job_id}: it is processing (nobody asked)"
