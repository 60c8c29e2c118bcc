"""A worker's exclusive right to run a job, and how long it may believe in it."""

from datetime import timedelta

from attrs import frozen

from jobmill.domain.errors import Fault, InvalidInput


@frozen(kw_only=True)
class LeasePolicy:
    """How leases are held.

    Args:
        ttl: how long the store honours a lease after a claim or a renewal.
        renew_every: time between two renewals; below half the ttl, so that one may fail.
        margin: how much earlier than the store the worker stops believing.
        ack_deadline: when a delivery is acknowledged although its claimed jobs still run; not below the
            ttl, so that a dead worker is found before its broker message is gone.
    """

    ttl: timedelta = timedelta(seconds=15)
    renew_every: timedelta = timedelta(seconds=5)
    margin: timedelta = timedelta(seconds=1)
    ack_deadline: timedelta = timedelta(seconds=30)

    def __attrs_post_init__(self) -> None:
        """Refuse times that do not fit each other."""
        if not timedelta(0) < self.renew_every <= (self.ttl - self.margin) / 2:
            raise InvalidInput(
                Fault(pointer="/renew_every", detail="must be above 0 and below half the lease")
            )
        if self.ack_deadline < self.ttl:
            raise InvalidInput(Fault(pointer="/ack_deadline", detail="must not be shorter than the lease"))

    def belief_ends(self, sent_s: float) -> float:
        """Return when a worker stops believing, by the monotonic clock in seconds.

        Args:
            sent_s: the monotonic time just *before* the claim or renewal was sent. The store counts from a
                later moment, so belief always ends before the lease does, whatever any wall clock says.
        """
        return sent_s + (self.ttl - self.margin).total_seconds()
