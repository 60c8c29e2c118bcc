"""What queues and exchanges are called."""

from attrs import frozen

from jobmill.application.ports.message_bus import Lane


@frozen(kw_only=True)
class Names:
    """Every name under one prefix. The names are public: they stand in the documentation."""

    prefix: str

    @property
    def lanes(self) -> str:
        """The exchange that routes to the lanes, by the lane's name."""
        return self.prefix

    @property
    def dead(self) -> str:
        """The exchange that routes to the dead letters of a queue, by the queue's name."""
        return f"{self.prefix}.dead"

    @property
    def ingress(self) -> str:
        """The exchange and the queue for messages of foreign producers."""
        return f"{self.prefix}.ingress"

    @property
    def events(self) -> str:
        """The exchange for facts."""
        return f"{self.prefix}.events"

    @property
    def epoch(self) -> str:
        """The queue that holds the marker."""
        return f"{self.prefix}.epoch"

    @property
    def epoch_key(self) -> str:
        """The key under which the marker is published; ``epoch`` is not allowed as the name of a queue."""
        return "epoch"

    def is_ours(self, name: str) -> bool:
        """A queue of this name belongs to the topology, which alone makes it."""
        return name.startswith(f"{self.prefix}.")

    def lane_queue(self, lane: Lane) -> str:
        """The queue of one lane."""
        return f"{self.prefix}.{lane}"

    def dead_queue(self, queue: str) -> str:
        """The queue with copies of the dead letters of a queue."""
        return f"{self.prefix}.{queue}.dead"

    def retry(self, rung_s: int) -> str:
        """The exchange and the queue of one rung of the ladder."""
        return f"{self.prefix}.retry.{rung_s}"
