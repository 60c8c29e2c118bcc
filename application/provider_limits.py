"""By what a provider is protected, and how that is written in its URL."""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, Self

from attrs import frozen

from jobmill.domain.concurrency_limit import HIGHEST, ConcurrencyLimit
from jobmill.domain.errors import Fault, InvalidInput, joined
from jobmill.domain.retry_budget import RetryBudget
from jobmill.domain.token_bucket import BURST_MAX, RateLimit

#: The options of a provider's URL that are read here.
LIMIT_OPTIONS: Final = ("rate", "burst", "concurrency", "retry_share", "on_open")
RETRY_SHARE: Final = 0.2

_RATE: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)/(s|m|h|d)", re.ASCII)
_WHOLE: Final = re.compile(r"\d{1,9}", re.ASCII)
_FRACTION: Final = re.compile(r"\d(?:\.\d{1,6})?", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
#: A rate without a burst lets so many seconds' worth pass at once.
_BURST_S: Final = 10


class OnOpen(Enum):
    """What becomes of a job whose provider's breaker is open."""

    WAIT = "wait"  # it is postponed and burns no attempt
    FAILOVER = "failover"  # the next provider is asked
    FAIL = "fail"  # the attempt fails


@frozen(kw_only=True)
class ProviderLimits:
    """By what a provider is protected, beside its breaker.

    Args:
        rate: None for no limit.
        concurrency: the most calls that one process makes at once, 1 to 10,000; it makes fewer where the
            provider does not bear them.
        retry_share: retries for each first attempt, 0 to 1, beside a small reserve.

    Raises:
        InvalidInput: a value is out of its range.
    """

    rate: RateLimit | None = None
    concurrency: int = HIGHEST
    retry_share: float = RETRY_SHARE
    on_open: OnOpen = OnOpen.WAIT

    def __attrs_post_init__(self) -> None:
        """Refuse what the limits themselves would refuse later."""
        ConcurrencyLimit(highest=self.concurrency)
        RetryBudget.fresh(self.retry_share, now_s=0.0)

    @classmethod
    def read(cls, options: Mapping[str, str]) -> Self:
        """Read the limits of a provider's URL, as in ``?rate=10/s&burst=100&concurrency=50``.

        Args:
            options: by name; those that are not in ``LIMIT_OPTIONS`` are somebody else's.

        Raises:
            InvalidInput: options that cannot be read, all of them, each with the mend.
        """
        values: dict[str, Any] = {}
        refusals: list[InvalidInput] = []
        for field_name, read in _READERS.items():
            try:
                if (value := read(options)) is not None:
                    values[field_name] = value
            except InvalidInput as refusal:
                refusals.append(refusal)
        if refusals:
            raise joined(refusals)
        return cls(**values)

    def as_record(self) -> Mapping[str, str | int | float | None]:
        """Return them as people read them."""
        return {
            "rate_per_s": None if self.rate is None else self.rate.per_s,
            "burst": None if self.rate is None else self.rate.burst,
            "concurrency": self.concurrency,
            "retry_share": self.retry_share,
            "on_open": self.on_open.value,
        }


def _rate(options: Mapping[str, str]) -> RateLimit | None:
    rate, burst = options.get("rate"), options.get("burst")
    if rate is None and burst is None:
        return None
    per_s = RateLimit().per_s
    if rate is not None:
        found = _RATE.fullmatch(rate)
        if found is None:
            raise _refused("rate", "must be a number per time, as in 10/s, 600/m or 1000/h")
        per_s = float(found[1]) / _SECONDS[found[2]]
    if burst is not None and not _WHOLE.fullmatch(burst):
        raise _refused("burst", f"must be a whole number from 1 to {BURST_MAX:,}")
    at_once = int(burst) if burst is not None else min(max(1, round(per_s * _BURST_S)), BURST_MAX)
    return RateLimit(per_s=per_s, burst=at_once)


def _concurrency(options: Mapping[str, str]) -> int | None:
    text = options.get("concurrency")
    if text is None:
        return None
    return ConcurrencyLimit(highest=int(text) if _WHOLE.fullmatch(text) else 0).highest


def _retry_share(options: Mapping[str, str]) -> float | None:
    text = options.get("retry_share")
    if text is None:
        return None
    return RetryBudget.fresh(float(text) if _FRACTION.fullmatch(text) else -1.0, now_s=0.0).share


def _on_open(options: Mapping[str, str]) -> OnOpen | None:
    text = options.get("on_open")
    if text is None:
        return None
    try:
        return OnOpen(text)
    except ValueError:
        words = ", ".join(each.value for each in OnOpen)
        raise _refused("on_open", f"must be one of {words}") from None


def _refused(option: str, mend: str) -> InvalidInput:
    return InvalidInput(Fault(pointer=f"/{option}", detail=mend))


_READERS: Final[Mapping[str, Callable[[Mapping[str, str]], object]]] = {
    "rate": _rate,
    "concurrency": _concurrency,
    "retry_share": _retry_share,
    "on_open": _on_open,
}
