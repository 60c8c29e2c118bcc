"""What becomes of each dead letter."""

import pytest

from odds_board.rules import Entry, Letter, Verdict, verdict_on

FAILED = Entry(outcome="failed")
REQUEUED = Entry(outcome="requeued")


@pytest.mark.parametrize(
    ("letter", "verdict"),
    [
        (Letter(id="1", kind="expired", type="odds.update"), Verdict.DISCARD),
        (Letter(id="1", kind="expired", type="email"), Verdict.KEEP),
        (Letter(id="1", kind="failed", type="boost.update", error="NoOdds: none"), Verdict.RETRY),
        (Letter(id="1", kind="failed", type="boost.update", error="a boost to 2 is none"), Verdict.KEEP),
        (Letter(id="1", kind="failed", type="odds.update"), Verdict.KEEP),
        (Letter(id="1", kind="quarantined", reason="not JSON"), Verdict.KEEP),
    ],
)
def test_a_letter_is_retried_discarded_or_kept_by_its_kind_type_and_error(
    letter: Letter, verdict: Verdict
) -> None:
    assert verdict_on(letter)[0] is verdict


def test_a_boost_is_retried_twice_and_then_discarded() -> None:
    def after(times: int) -> Verdict:
        history = (FAILED, REQUEUED) * times
        return verdict_on(
            Letter(id="1", kind="failed", type="boost.update", error="NoOdds: none", history=history)
        )[0]

    assert [after(times) for times in range(4)] == [
        Verdict.RETRY,
        Verdict.RETRY,
        Verdict.DISCARD,
        Verdict.DISCARD,
    ]
