"""The numbers of this adapter, named and with their reasons."""

from typing import Final

from attrs import frozen

#: A larger message is not sent. A parcel is 256 kB at most, so this is a fuse, well below any broker's own.
BODY_BYTES_MAX: Final = 1024 * 1024

#: Messages written to the broker in one go. More brings no speed and makes each confirm wait longer.
BATCH_COUNT_MAX: Final = 200
BATCH_BYTES_MAX: Final = 4 * 1024 * 1024
#: Messages of all callers that await their confirm. The library looks through all of them for a confirm
#: that covers several, so this stays at a thousand; the bytes lie in this process's memory.
IN_FLIGHT_COUNT_MAX: Final = 1_000
IN_FLIGHT_BYTES_MAX: Final = 16 * 1024 * 1024

#: A quorum queue gives no consumer more than this, whatever is asked for.
PREFETCH_MAX: Final = 2_000

#: Added to the time a message spends on the ladder, so that roundings never bring it back early.
EARLY_MARGIN_MS: Final = 50


@frozen(kw_only=True)
class Bounds:
    """How long this adapter waits for what, in seconds.

    Args:
        heartbeat_s: sent at least this often; a peer that is silent for about three times as long is dead.
        connect_s: for a connection to be made and let in.
        publish_s: for everything one call publishes to be answered.
        answer_s: for any other question to the broker.
        reconnect_min_s: the largest wait after the first failure; it doubles with every further one.
        reconnect_max_s: the largest wait of all. Each wait is a uniform share of the largest.
        close_s: for the goodbye.
        watch_s: between two looks whether what is ready in a queue reaches its consumer.
    """

    heartbeat_s: int = 10
    connect_s: float = 5.0
    publish_s: float = 10.0
    answer_s: float = 10.0
    reconnect_min_s: float = 0.1
    reconnect_max_s: float = 30.0
    close_s: float = 3.0
    watch_s: float = 10.0

    def pause_s(self, failures: int, fraction: float) -> float:
        """Return how long to wait after so many failures in a row (1 or more), with full jitter."""
        doublings = min(max(failures - 1, 0), 32)
        return min(self.reconnect_max_s, self.reconnect_min_s * 2.0**doublings) * fraction


DEFAULT_BOUNDS: Final = Bounds()
