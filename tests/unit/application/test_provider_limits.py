"""Limits as they are written in a provider's URL."""

import pytest

from jobmill.application.provider_limits import OnOpen, ProviderLimits
from jobmill.domain.errors import InvalidInput
from jobmill.domain.token_bucket import RateLimit


def test_what_is_not_written_has_its_default() -> None:
    limits = ProviderLimits.read({"from": "+1555", "latency_s": "0.5"})

    assert limits == ProviderLimits()
    assert (limits.rate, limits.concurrency, limits.retry_share) == (None, 1_000, 0.2)
    assert limits.on_open is OnOpen.WAIT


def test_everything_can_be_written() -> None:
    limits = ProviderLimits.read(
        {"rate": "2.5/s", "burst": "7", "on_open": "failover", "concurrency": "50", "retry_share": "0.1"}
    )

    assert limits == ProviderLimits(
        rate=RateLimit(per_s=2.5, burst=7), concurrency=50, retry_share=0.1, on_open=OnOpen.FAILOVER
    )


@pytest.mark.parametrize(
    ("options", "per_s", "burst"),
    [
        ({"rate": "10/s"}, 10, 100),
        ({"burst": "5"}, 10, 5),
        ({"rate": "600/m"}, 10, 100),
        ({"rate": "36/h"}, 0.01, 1),
        ({"rate": "1/d", "burst": "3"}, 1 / 86_400, 3),
    ],
)
def test_a_rate_is_so_many_in_a_time_and_a_burst(options: dict[str, str], per_s: float, burst: int) -> None:
    assert ProviderLimits.read(options).rate == RateLimit(per_s=per_s, burst=burst)


@pytest.mark.parametrize(
    ("name", "text", "mend"),
    [
        ("rate", "10", "as in 10/s, 600/m or 1000/h"),
        ("rate", "ten/s", "as in 10/s"),
        ("rate", "0/s", "from 1 a day"),
        ("rate", "9999999/s", "100,000 a second"),
        ("burst", "0", "from 1 to"),
        ("burst", "1.5", "a whole number"),
        ("burst", "-1", "a whole number"),
        ("concurrency", "0", "from 1 to 10,000"),
        ("concurrency", "many", "from 1 to 10,000"),
        ("concurrency", "10001", "from 1 to 10,000"),
        ("retry_share", "1.1", "from 0 to 1"),
        ("retry_share", "20%", "from 0 to 1"),
        ("on_open", "stop", "wait, failover, fail"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_mend(name: str, text: str, mend: str) -> None:
    with pytest.raises(InvalidInput, match=mend) as refusal:
        ProviderLimits.read({name: text})

    assert [fault.pointer for fault in refusal.value.faults] == [f"/{name}"]


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        ProviderLimits.read({"rate": "x", "concurrency": "x", "retry_share": "x", "on_open": "x"})

    pointers = [fault.pointer for fault in refusal.value.faults]
    assert pointers == ["/rate", "/concurrency", "/retry_share", "/on_open"]


@pytest.mark.parametrize("nonsense", [{"concurrency": 0}, {"retry_share": 2.0}])
def test_limits_that_make_no_sense_are_refused_in_code_too(nonsense: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        ProviderLimits(**nonsense)  # type: ignore[arg-type]
