"""Strategies for the domain's values: the whole range that the rules allow."""

from datetime import timedelta
from typing import Final

from hypothesis import strategies as st

from jobmill.domain.retry_policy import CAP_MAX, FACTOR_MAX, RetryPolicy

MICROSECOND: Final = timedelta(microseconds=1)
HOURS_2: Final = timedelta(hours=2)


def delays(longest: timedelta = HOURS_2) -> st.SearchStrategy[timedelta]:
    """Waits on both sides of the ladder's reach; often whole seconds, where rungs begin and end."""
    seconds = st.integers(0, int(longest.total_seconds())).map(lambda number: timedelta(seconds=number))
    return seconds | st.timedeltas(min_value=timedelta(0), max_value=longest)


def lifetimes() -> st.SearchStrategy[timedelta]:
    """Durations above 0, up to a day."""
    return st.timedeltas(min_value=MICROSECOND, max_value=timedelta(days=1))


def fractions() -> st.SearchStrategy[float]:
    """Chance, as ``Entropy`` gives it."""
    return st.floats(0, 1, exclude_max=True)


def policies() -> st.SearchStrategy[RetryPolicy]:
    """Every policy that is allowed; often one of everyday size."""
    return st.builds(
        RetryPolicy,
        max_attempts=st.integers(1, 100),
        base=delays() | st.timedeltas(min_value=timedelta(0), max_value=CAP_MAX),
        factor=st.floats(1, 3) | st.floats(1, FACTOR_MAX),
        cap=delays() | st.timedeltas(min_value=timedelta(0), max_value=CAP_MAX),
        jitter=st.floats(0, 1),
    )
