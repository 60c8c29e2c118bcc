"""What a job carries: the same for all contenders."""

from typing import Any, Final

#: Of JSON that an ordinary payload comes to.
ORDINARY_BYTES: Final = 200
_ORDINARY_PAD: Final = "x" * 8


def payload(number: int, *, pad: str = _ORDINARY_PAD) -> dict[str, Any]:
    """Return the payload of job ``number``; about 200 bytes of JSON, and more by what ``pad`` is longer."""
    return {
        "i": number,
        "user_id": f"user-{number:08d}",
        "channel": "email",
        "template": "order_shipped_v2",
        "locale": "en-GB",
        "to": f"user{number:08d}@example.org",
        "trace": "0af7651916cd43dd8448eb211c80319c",
        "pad": pad,
    }


def pad_for(size_bytes: int) -> str:
    """Return the pad that makes a payload of about ``size_bytes``, 200 or more."""
    return _ORDINARY_PAD + "x" * (size_bytes - ORDINARY_BYTES)
