"""Who sends, as push services see it: a key pair and an address to complain to (VAPID, RFC 8292)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jobmill.application.codec.mail import address_fault
from jobmill.application.errors import WrongAddress
from jobmill.application.provider_urls import ProviderUrl

SHAPE: Final = "webpush://?private_key=…&subject=mailto:you@example.com"
OPTIONS: Final = frozenset({"private_key", "subject", "ttl_s"})
TTL_S_DEFAULT: Final = 86_400
TTL_S_MAX: Final = 28 * 86_400
_KEY_BYTES: Final = 32


@frozen(kw_only=True)
class WebPushSender:
    """Signs what is sent.

    Args:
        subject: a ``mailto:`` or ``https:`` address of whoever is responsible.
        ttl_s: how long a push service keeps a message for a browser that is away.
    """

    key: EllipticCurvePrivateKey = field(repr=False)
    subject: str
    ttl_s: int = TTL_S_DEFAULT

    @property
    def public_key(self) -> str:
        """The key that browsers subscribe with, in base64 for URLs."""
        return to_base64(point_of(self.key))


def read_sender(url: ProviderUrl) -> WebPushSender:
    """Read ``webpush://``.

    Raises:
        WrongAddress: an option is missing or cannot be used.
    """
    options = url.only(OPTIONS)
    if url.host or url.path.strip("/") or url.username is not None:
        raise WrongAddress(f"the webpush address has options only, as in {SHAPE}")
    subject = url.required("subject", SHAPE)
    is_mail = subject.startswith("mailto:") and not address_fault(subject.removeprefix("mailto:"))
    if not is_mail and not (subject.startswith("https://") and subject.isascii() and subject.isprintable()):
        raise WrongAddress("subject= in the webpush address must be like mailto:you@example.com or https://…")
    ttl = options.get("ttl_s", str(TTL_S_DEFAULT))
    if not (ttl.isascii() and ttl.isdigit() and len(ttl) <= len(str(TTL_S_MAX)) and int(ttl) <= TTL_S_MAX):
        raise WrongAddress(f"ttl_s= in the webpush address must be a whole number from 0 to {TTL_S_MAX}")
    return WebPushSender(key=_key(url.required("private_key", SHAPE)), subject=subject, ttl_s=int(ttl))


def _key(text: str) -> EllipticCurvePrivateKey:
    try:
        raw = from_base64(text)
        if len(raw) != _KEY_BYTES:
            raise ValueError
        return derive_private_key(int.from_bytes(raw, "big"), SECP256R1())
    except ValueError:
        raise WrongAddress(
            "private_key= in the webpush address must be a VAPID private key: 32 bytes in base64 for URLs"
        ) from None


def point_of(key: EllipticCurvePrivateKey) -> bytes:
    """Return the public half of a key as 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def to_base64(data: bytes) -> str:
    """Write base64 for URLs, without the signs at its end."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64(text: str) -> bytes:
    """Read base64 for URLs, with or without the signs at its end; raises ``ValueError``."""
    bare = text.rstrip("=")
    if not bare.replace("-", "").replace("_", "").isalnum() or not bare.isascii():
        raise ValueError("not base64 for URLs")
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
