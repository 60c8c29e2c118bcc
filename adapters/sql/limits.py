"""How long and how many: the bounds within which a database is used."""

from attrs import frozen


@frozen(kw_only=True)
class Limits:
    """Bounds of one store.

    Args:
        pool_size: connections at most, 2 or more.
        pool_wait_s: how long a call waits for one of them.
        handlers_max: connections at most for handlers' transactions, beside those of the pool; where there is
            one writer, its connection serves them one at a time.
        statement_timeout_s: after this a statement is ended; 0 for never.
        lock_timeout_s: after this the wait for a lock is ended.
    """

    pool_size: int = 10
    pool_wait_s: float = 5.0
    handlers_max: int = 5
    statement_timeout_s: float = 30.0
    lock_timeout_s: float = 5.0
