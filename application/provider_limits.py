"""By what a provider is protected, and how that is written in its URL."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final, Self

from attrs import field, frozen

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
    on_open: OnOpen = field(default=OnOpen.WAIT)

    def __attrs_post_init__(self) -> None:
        """Refuse what the limits themselves would refuse later."""
        refusals = []
        for make in (
            lambda: ConcurrencyLimit(highest=self.concurrency),
            lambda: RetryBudget.fresh(self.retry_share, now_s=0.0),
        ):
            try:
                make()
            except InvalidInput as refusal:
                refusals.append(refusal)
        if refusals:
            raise joined(refusals)

    @classmethod
    def read(cls, options: Mapping[str, str]) -> Self:
        """Read the limits of a provider's URL, as in ``?rate=10/s&burst=100&concurrency=50``.

        Args:
            options: by name; those that are not in ``LIMIT_OPTIONS`` are somebody else's.

        Raises:
            InvalidInput: options that cannot be read, all of them, each with the mend.
        """
        values: dict[str, object] = {}
        refusals: list[InvalidInput] = []
        for names, read in (
            (("rate", "burst"), _rate),
            (("concurrency",), _concurrency),
            (("retry_share",), _retry_share),
            (("on_open",), _on_open),
        ):
            given = [options.get(name) for name in names]
            if any(text is not None for text in given):
                try:
                    values[names[0]] = read(*given)  # type: ignore[operator]
                except InvalidInput as refusal:
                    refusals.append(refusal)
        if refusals:
            raise joined(refusals)
        return cls(**values)  # type: ignore[arg-type]

    def as_record(self) -> Mapping[str, str | int | float | None]:
        """Return them as people read them."""
        return {
            "rate_per_s": None if self.rate is None else self.rate.per_s,
            "burst": None if self.rate is None else self.rate.burst,
            "concurrency": self.concurrency,
            "retry_share": self.retry_share,
            "on_open": self.on_open.value,
        }


def _rate(rate: str | None, burst: str | None) -> RateLimit:
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


def _concurrency(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise _refused("concurrency", "must be a whole number")
    return ConcurrencyLimit(highest=int(text)).highest


def _retry_share(text: str) -> float:
    if not _FRACTION.fullmatch(text):
        raise _refused("retry_share", "must be from 0 to 1, as in 0.2")
    return RetryBudget.fresh(float(text), now_s=0.0).share


def _on_open(text: str) -> OnOpen:
    try:
        return OnOpen(text)
    except ValueError:
        words = ", ".join(each.value for each in OnOpen)
        raise _refused("on_open", f"must be one of {words}") from None


def _refused(option: str, mend: str) -> InvalidInput:
    return InvalidInput(Fault(pointer=f"/{option}", detail=mend))
