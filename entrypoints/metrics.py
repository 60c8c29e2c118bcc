"""The metrics of a process, as its HTTP entrance needs them."""

from collections.abc import Awaitable, Callable

from attrs import frozen


@frozen(kw_only=True)
class Metrics:
    """The metrics of a process.

    Args:
        page: makes the text that Prometheus reads.
        measure: counts a request by its method, the pattern of its path, its status, and the seconds it took.
    """

    page: Callable[[], Awaitable[bytes]]
    media_type: str
    measure: Callable[[str, str, str, float], None]
