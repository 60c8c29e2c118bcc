"""Messages to browsers, by one request each to whatever service the browser's maker runs."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import jwt
from attrs import frozen
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)

from jobmill.adapters.web_push.encryption import TEXT_BYTES_MAX, encrypt
from jobmill.adapters.web_push.sender import WebPushSender, from_base64, to_base64
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.providers import (
    Carrier,
    ProviderRefused,
    PushMessage,
    PushTarget,
    WebClient,
    WebRequest,
)
from jobmill.application.shipped.provider_answers import is_success, objection_to

#: Services take a signature for a day at most.
_SIGNED_FOR: Final = timedelta(hours=12)
_TOPIC_CHARS: Final = 32
#: The subscription is over, or was never one.
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


def _new_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


@frozen(kw_only=True)
class WebPushes(Carrier[PushMessage]):
    """Sends messages to browsers' subscriptions. One that still waits is replaced by a later one of its key.

    Args:
        web: calls strangers, since subscriptions come with jobs.
    """

    sender: WebPushSender
    web: WebClient
    clock: Clock
    entropy: Entropy
    new_key: Callable[[], EllipticCurvePrivateKey] = _new_key

    @staticmethod
    def carries(message: PushMessage) -> bool:
        """Whether the message is for a browser's subscription."""
        return isinstance(message.target, PushTarget)

    async def send(self, message: PushMessage, /) -> Mapping[str, str]:
        """Return the service that has the message, and its topic there."""
        target = message.target
        assert isinstance(target, PushTarget), "asked for nothing else: see carries"
        topic = to_base64(sha256(message.key.encode()).digest())[:_TOPIC_CHARS]
        request = WebRequest(
            method="POST",
            url=target.endpoint,
            headers={
                "authorization": self._signature(target.endpoint),
                "content-encoding": "aes128gcm",
                "content-type": "application/octet-stream",
                "ttl": str(self.sender.ttl_s),
                "topic": topic,
            },
            body=self._sealed(message, target),
        )
        answer = await self.web.call(request)
        if is_success(answer):
            return {"service": urlsplit(target.endpoint).hostname or "", "id": topic}
        if answer.status in _GONE:
            raise ProviderRefused(f"answered {answer.status}: the subscription is over")
        raise objection_to(answer, now=self.clock.now())

    def _signature(self, endpoint: str) -> str:
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": self.clock.now() + _SIGNED_FOR,
            "sub": self.sender.subject,
        }
        token = jwt.encode(claims, self.sender.key, algorithm="ES256")
        return f"vapid t={token}, k={self.sender.public_key}"

    def _sealed(self, message: PushMessage, target: PushTarget) -> bytes:
        text = json.dumps({"title": message.title, "body": message.body}, ensure_ascii=False).encode()
        if len(text) > TEXT_BYTES_MAX:
            raise ProviderRefused(f"the message has {len(text):,} bytes, a browser takes {TEXT_BYTES_MAX:,}")
        salt = b"".join(self.entropy.stamp().to_bytes(8, "big", signed=True) for _ in range(2))
        try:
            return encrypt(
                text,
                browser=from_base64(target.p256dh),
                secret=from_base64(target.auth),
                own=self.new_key(),
                salt=salt,
            )
        except ValueError:
            raise ProviderRefused("the subscription's keys are none; take those of the browser") from None
