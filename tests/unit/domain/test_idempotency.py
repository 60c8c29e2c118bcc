"""One key, one job."""

from uuid import UUID

import pytest

from jobmill.domain.idempotency import KEY_HOLD, Conflict, KeyClaim, KeyVerdict, New, Replay, judge

from tests.builders import HOUR, an_id

MINE, THEIRS = an_id(), an_id()


@pytest.mark.parametrize(
    ("holder", "fingerprint", "verdict"),
    [
        (MINE, "this", New()),
        (MINE, "that", New()),  # my own earlier try, whatever it says
        (THEIRS, "this", Replay(job_id=THEIRS)),
        (THEIRS, "that", Conflict(job_id=THEIRS, key="order-7")),
    ],
)
def test_a_taken_key_is_judged_by_its_holder_and_request(
    holder: UUID, fingerprint: str, verdict: KeyVerdict
) -> None:
    claim = KeyClaim(scope="ada", key="order-7", fingerprint="this")

    assert judge(claim, MINE, holder=holder, fingerprint=fingerprint) == verdict


def test_without_a_fingerprint_any_second_request_is_a_replay() -> None:
    claim = KeyClaim(scope="unique:email", key="ada")

    assert judge(claim, MINE, holder=THEIRS, fingerprint="") == Replay(job_id=THEIRS)


def test_a_key_is_kept_for_a_day_unless_told_otherwise() -> None:
    assert KeyClaim(scope="ada", key="k").hold == KEY_HOLD == 24 * HOUR
