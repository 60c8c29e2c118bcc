"""The numbers of this adapter, named and with their reasons."""

from attrs import frozen


@frozen(kw_only=True)
class WebBounds:
    """How long, how much, how many.

    Args:
        connect_s: for each address of a host to accept a connection, TLS included.
        total_s: for a whole call, name look-up included, counted from when it has a place in the pool.
        answer_bytes_max: of an answer's body; the rest is not read.
        buffer_bytes: of an answer that may lie in memory unread.
        connections_max: at a time, over all hosts.
    """

    connect_s: float = 2.0
    total_s: float = 5.0
    answer_bytes_max: int = 64 * 1024
    buffer_bytes: int = 16 * 1024
    connections_max: int = 100
