"""How long a provider is left alone that is asked too often."""

from jobmill.domain.pause import LONGEST_S, RETRY_AFTER_MAX_S, Pause


def busy(pause: Pause, *, at_s: float, retry_after_s: float | None = None) -> Pause:
    return pause.busy(started_s=at_s, now_s=at_s, retry_after_s=retry_after_s)


def test_there_is_none_at_first() -> None:
    assert Pause().wait_s(0.0) == 0


def test_it_lasts_until_the_provider_said() -> None:
    pause = busy(Pause(), at_s=10.0, retry_after_s=7.0)

    assert (pause.wait_s(10.0), pause.wait_s(16.0), pause.wait_s(18.0)) == (7.0, 1.0, 0.0)


def test_a_word_that_is_shorter_does_not_shorten_it() -> None:
    pause = busy(busy(Pause(), at_s=0.0, retry_after_s=7.0), at_s=1.0, retry_after_s=2.0)

    assert pause.wait_s(0.0) == 7.0


def test_a_word_out_of_all_reason_is_bounded() -> None:
    assert busy(Pause(), at_s=0.0, retry_after_s=1e9).wait_s(0.0) == RETRY_AFTER_MAX_S
    assert busy(Pause(), at_s=0.0, retry_after_s=-1.0).wait_s(0.0) == 0


def test_without_a_word_each_is_twice_as_long_up_to_a_minute() -> None:
    pause, waits = Pause(), []
    for _ in range(8):
        at_s = max(pause.until_s, 0.0)
        pause = busy(pause, at_s=at_s)
        waits.append(pause.wait_s(at_s))

    assert waits == [1, 2, 4, 8, 16, 32, LONGEST_S, LONGEST_S]


def test_calls_that_were_under_way_together_double_it_once() -> None:
    first = busy(Pause(), at_s=5.0)

    assert first.busy(started_s=4.9, now_s=5.5, retry_after_s=None) is first


def test_a_success_lets_it_begin_small_again() -> None:
    pause = busy(busy(Pause(), at_s=0.0), at_s=1.0)

    assert busy(pause.well(started_s=3.0), at_s=3.0).wait_s(3.0) == 1.0


def test_a_success_of_a_call_from_before_says_nothing() -> None:
    pause = busy(Pause(), at_s=0.0)

    assert pause.well(started_s=-1.0) is pause
