"""Signatures by which a receiver knows that a webhook is ours: Standard Webhooks, symmetric."""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hmac import digest
from typing import Final

#: The secret of webhooks that name none, if there is one of this name.
DEFAULT_SECRET: Final = "default"  # noqa: S105 - its name
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
SECRETS_MAX: Final = 100
_PREFIX: Final = "whsec_"
_BYTES_MIN, _BYTES_MAX = 24, 64
#: A plus sign is a letter of base64 too; the next prefix tells them apart, since an underscore is none.
_BETWEEN: Final = re.compile(rf"\+(?={_PREFIX})")

#: The secrets by name, and of each name all that are current: with several, receivers may change over.
SigningSecrets = Mapping[str, tuple[bytes, ...]]


def parse_secrets(text: str) -> SigningSecrets:
    """Read ``name=whsec_…+whsec_…,other=whsec_…``.

    Raises:
        ValueError: something is wrong with it; no secret is repeated.
    """
    secrets: dict[str, tuple[bytes, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, mark, values = part.partition("=")
        if not mark or not NAME.fullmatch(name) or name in secrets:
            raise ValueError(
                "must be like name=whsec_…,other=whsec_…+whsec_…, each name once, in small letters"
            )
        secrets[name] = tuple(_secret(value, name) for value in _BETWEEN.split(values))
    if not 1 <= len(secrets) <= SECRETS_MAX:
        raise ValueError(f"must hold 1 to {SECRETS_MAX} names, as in shop=whsec_…")
    return secrets


def signatures(secrets: tuple[bytes, ...], *, key: str, timestamp: int, body: bytes) -> str:
    """Return the header ``webhook-signature``: one signature for each current secret.

    Args:
        key: the header ``webhook-id``.
        timestamp: the header ``webhook-timestamp``, in seconds since 1970.
    """
    signed = f"{key}.{timestamp}.".encode() + body
    return " ".join(f"v1,{b64encode(digest(secret, signed, 'sha256')).decode()}" for secret in secrets)


def _secret(text: str, name: str) -> bytes:
    try:
        secret = b64decode(text.removeprefix(_PREFIX), validate=True)
        if text.startswith(_PREFIX) and _BYTES_MIN <= len(secret) <= _BYTES_MAX:
            return secret
    except ValueError:
        pass
    size = f"{_BYTES_MIN} to {_BYTES_MAX} bytes"
    raise ValueError(f"what stands for {name} must be {_PREFIX} and {size} in base64") from None
