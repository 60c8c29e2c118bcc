"""How many calls may be retries."""

import pytest

from jobmill.domain.errors import InvalidInput
from jobmill.domain.retry_budget import RESERVE, RetryBudget


def spent(share: float = 0.2) -> RetryBudget:
    budget = RetryBudget.fresh(share, now_s=0.0)
    for _ in range(RESERVE.burst):
        budget, wait_s = budget.retry(0.0)
        assert wait_s == 0
    return budget


def test_a_reserve_is_there_at_first_and_then_none() -> None:
    _, wait_s = spent().retry(0.0)

    assert wait_s == pytest.approx(1 / RESERVE.per_s)


def test_five_first_attempts_pay_for_one_retry() -> None:
    budget = spent(0.2)
    for _ in range(4):
        budget = budget.first_attempt(0.0)
    assert budget.retry(0.0)[1] > 0

    paid, wait_s = budget.first_attempt(0.0).retry(0.0)

    assert wait_s == 0
    assert paid.retry(0.0)[1] > 0


def test_a_little_is_allowed_whatever_the_traffic() -> None:
    budget = spent(0.0)

    assert budget.retry(1 / RESERVE.per_s)[1] == 0


def test_a_retry_that_was_not_made_is_given_back() -> None:
    assert spent().unused(0.0).retry(0.0)[1] == 0


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_from_none_to_all(share: float) -> None:
    with pytest.raises(InvalidInput, match="/retry_share"):
        RetryBudget.fresh(share, now_s=0.0)
