"""What lies in a lane of the in-process broker."""

from collections.abc import Callable, Mapping

from attrs import frozen

from jobmill.application.ports.message_bus import Lane


@frozen(kw_only=True, eq=False)
class Message:
    """The bytes of a message, and the lane they are meant for. Two of the same content are two messages."""

    lane: Lane
    body: bytes
    content_type: str
    headers: Mapping[str, str | int]
    message_id: str | None = None
    is_redelivered: bool = False


@frozen(kw_only=True, eq=False)
class Held:
    """A message handed out and not yet answered; ``freed`` tells its receiver that it no longer counts."""

    message: Message
    freed: Callable[["Held"], None]
