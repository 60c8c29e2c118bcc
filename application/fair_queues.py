"""Fair queues: tenants stand in several lines, and the lines take turns."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from attrs import field, frozen

from jobmill.application.ports.message_bus import Lane
from jobmill.domain.job import Job
from jobmill.domain.states import Priority

SHARES_MIN: Final = 2
#: Each is three quorum queues of the broker, and three consumers of every worker.
SHARES_MAX: Final = 32
SHARES_DEFAULT: Final = 8


def share_of(tenant: str | None, shares: int) -> int:
    """Return the share in which a tenant's jobs wait, the same in every process and release.

    It is the BLAKE2b digest of 8 bytes of the tenant's UTF-8, read big-endian, modulo the number of shares.
    Jobs without a tenant wait in share 0.
    """
    if tenant is None:
        return 0
    return int.from_bytes(blake2b(tenant.encode(), digest_size=8).digest()) % shares


@frozen(kw_only=True)
class FairQueues:
    """How many shares the lanes of each fair queue have. The lanes of any other queue have one.

    Args:
        shares: by the name of the queue, from ``SHARES_MIN`` to ``SHARES_MAX``.
    """

    shares: Mapping[str, int] = field(factory=dict)

    def shares_of(self, queue: str) -> int:
        """Return into how many lines each lane of a queue is split."""
        return self.shares.get(queue, 1)

    def lanes_of(self, queue: str) -> tuple[Lane, ...]:
        """Return the lanes of a queue, most urgent first."""
        shares = range(self.shares_of(queue))
        return tuple(
            Lane(queue=queue, priority=priority, share=share) for priority in Priority for share in shares
        )

    def lane_of(self, job: Job) -> Lane:
        """Return where the job waits for a worker."""
        shares = self.shares.get(job.queue)
        share = share_of(job.tenant, shares) if shares else 0
        return Lane(queue=job.queue, priority=job.priority, share=share)


NONE_FAIR: Final = FairQueues()
