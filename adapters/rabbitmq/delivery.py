"""A message received, in the shape the port wants."""

from collections.abc import Callable, Mapping

from aiormq.abc import DeliveredMessage
from attrs import frozen

from jobmill.application.ports.ingress import IngressMessage


@frozen(kw_only=True, eq=False)
class RabbitDelivery(IngressMessage):
    """A message and the way to answer it, which leads to nothing once its channel is gone.

    Args:
        on_ack: called with the number that the message has on its channel; returns at once.
        on_release: likewise.
    """

    message: DeliveredMessage
    tag: int
    on_ack: Callable[[int], None]
    on_release: Callable[[int], None]

    @property
    def body(self) -> bytes:
        return self.message.body

    @property
    def content_type(self) -> str | None:
        return self.message.header.properties.content_type

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers as text, those included that the broker itself adds to what comes off the ladder."""
        headers = self.message.header.properties.headers or {}
        return {name: value if isinstance(value, str) else str(value) for name, value in headers.items()}

    @property
    def message_id(self) -> str | None:
        return self.message.header.properties.message_id

    @property
    def is_redelivered(self) -> bool:
        return bool(self.message.redelivered)

    def ack(self) -> None:
        self.on_ack(self.tag)

    def release(self) -> None:
        self.on_release(self.tag)
