"""Messages to browsers, by Web Push (RFC 8030), encrypted (RFC 8291) and signed (RFC 8292)."""

from jobmill.adapters.web_push.carrier import WebPushes
from jobmill.adapters.web_push.sender import WebPushSender, read_sender

__all__ = ["WebPushSender", "WebPushes", "read_sender"]
