"""What a webhook's address and headers may be."""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

URL_CHARS_MAX: Final = 2_048
HEADERS_MAX: Final = 50

#: Visible ASCII without the backslash, which some parsers take for a slash and others do not.
_URL_TEXT: Final = re.compile(r"[!-\[\]-~]+")
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE: Final = re.compile(r"[\t -~]*")

#: About this connection only, or derived from the request: the HTTP client writes them.
_OF_THE_CLIENT: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: What the receiver trusts to come from Jobmill.
_OF_JOBMILL: Final = frozenset({"webhook-id", "webhook-signature", "webhook-timestamp"})


def url_fault(url: str) -> str | None:
    """Say what is wrong with an address; None if it can be called.

    Whether its host may be reached is decided where the connection is made.
    """
    if len(url) > URL_CHARS_MAX:
        return f"must have at most {URL_CHARS_MAX} characters, not {len(url)}"
    if not _URL_TEXT.fullmatch(url):
        return "must be ASCII without spaces: percent-encode the path, write an international host as xn--"
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if "@" in parts.netloc:
        return "must not hold a user or a password: send them in a header"
    return None if has_host else "must name a host, as in https://example.com/hook"


def header_faults(headers: Mapping[str, str]) -> Iterator[str]:
    """Say what is wrong with each header; nothing of their values is repeated."""
    if len(headers) > HEADERS_MAX:
        yield f"must be at most {HEADERS_MAX}, not {len(headers)}"
        return
    for name, value in headers.items():
        shown = repr(name[:100])
        if not _HEADER_NAME.fullmatch(name):
            yield f"must not hold {shown}: a name has up to 100 letters, digits or dashes"
        elif name.lower() in _OF_THE_CLIENT:
            yield f"must not hold {shown}: it belongs to the connection"
        elif name.lower() in _OF_JOBMILL:
            yield f"must not hold {shown}: Jobmill itself writes it"
        if not _HEADER_VALUE.fullmatch(value):
            yield f"must hold ASCII without line breaks or other control characters, unlike {shown}"
    lowered = [name.lower() for name in headers]
    for name in sorted({name for name in lowered if lowered.count(name) > 1}):
        yield f"must not hold {name[:100]!r} twice; small and capital letters are the same"
