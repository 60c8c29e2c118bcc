"""What is kept of a failed attempt."""

from jobmill.domain.failure import (
    ERROR_CHARS_MAX,
    STACK_CHARS_MAX,
    UNDELIVERABLE,
    WORKER_LOST,
    Failure,
    FailureKind,
)


def a_failure(message: str = "x", stack: str | None = None) -> Failure:
    return Failure(kind=FailureKind.TRANSIENT, message=message, stack=stack)


def test_a_message_up_to_the_limit_is_kept_whole() -> None:
    message = "m" * ERROR_CHARS_MAX

    assert a_failure(message).message == message


def test_the_beginning_of_a_longer_message_is_kept() -> None:
    kept = a_failure("a" + "m" * ERROR_CHARS_MAX).message

    assert len(kept) == ERROR_CHARS_MAX
    assert kept.startswith("am")
    assert kept.endswith("m…")


def test_a_stack_up_to_the_limit_is_kept_whole() -> None:
    stack = "s" * STACK_CHARS_MAX

    assert a_failure(stack=stack).stack == stack


def test_the_end_of_a_longer_stack_is_kept() -> None:
    kept = a_failure(stack="s" * STACK_CHARS_MAX + "z").stack

    assert kept is not None
    assert len(kept) == STACK_CHARS_MAX
    assert kept.startswith("…s")
    assert kept.endswith("sz")


def test_a_failure_needs_no_stack() -> None:
    assert a_failure().stack is None


def test_characters_that_no_database_takes_are_replaced() -> None:
    failure = a_failure("a\0b\ud800c", stack="\udfff\0")

    assert (failure.message, failure.stack) == ("a?b?c", "??")


def test_a_lost_worker_may_be_followed_by_another() -> None:
    assert not WORKER_LOST.is_final


def test_what_cannot_be_delivered_is_final() -> None:
    assert UNDELIVERABLE.is_final
