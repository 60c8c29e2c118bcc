"""A delivery as a test hands it over, and what became of it."""

from collections.abc import Mapping

from attrs import define, field

from jobmill.application.codec.parcels import CONTENT_TYPE, encode_notice, join_notices
from jobmill.application.ports.message_bus import Delivery
from jobmill.domain.job import Job


@define(eq=False, kw_only=True)
class Received(Delivery):
    """Counts its answers."""

    body: bytes = b""
    content_type: str | None = CONTENT_TYPE
    headers: Mapping[str, str] = field(factory=dict)
    answers: list[str] = field(factory=list)

    def ack(self) -> None:
        self.answers.append("ack")

    def release(self) -> None:
        self.answers.append("release")


def received(*jobs: Job, **parts: object) -> Received:
    """A delivery of a parcel that holds these jobs."""
    return Received(body=join_notices([encode_notice(job) for job in jobs]), **parts)  # type: ignore[arg-type]
