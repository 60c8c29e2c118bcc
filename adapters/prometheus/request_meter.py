"""Counts what is asked over HTTP, by the pattern of its path: there are as many as there are routes."""

from collections.abc import Mapping

from jobmill.adapters.prometheus.spread import Spread


class RequestMeter:
    """Counts requests and how long they took."""

    def __init__(self) -> None:
        self._spreads: dict[tuple[str, str, str], Spread] = {}

    @property
    def spreads(self) -> Mapping[tuple[str, str, str], Spread]:
        """By method, route and status."""
        return self._spreads

    def measure(self, method: str, route: str, status: str, seconds: float) -> None:
        """Count one request; the words come from a bounded number."""
        key = (method, route, status)
        spread = self._spreads.get(key)
        if spread is None:
            spread = self._spreads[key] = Spread()
        spread.add(seconds)
