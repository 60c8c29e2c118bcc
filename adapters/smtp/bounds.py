"""The numbers of this adapter, named and with their reasons."""

from attrs import frozen


@frozen(kw_only=True)
class SmtpBounds:
    """How long, how many.

    Args:
        connect_s: for the server to accept a connection, and again for it to greet.
        total_s: for everything one mail needs, counted from when it has a place in the pool.
        close_s: for the goodbye on each connection.
        connections_max: at a time. Servers count connections per client, and few allow many more.
        mails_max: over one connection; many servers hang up at a hundred.
        idle_s: a connection that was idle for longer is not used again: the server may have left.
    """

    connect_s: float = 2.0
    total_s: float = 5.0
    close_s: float = 1.0
    connections_max: int = 10
    mails_max: int = 100
    idle_s: float = 30.0
