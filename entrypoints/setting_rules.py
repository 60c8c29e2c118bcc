"""How the texts of settings are read: a reader returns the value or raises ``ValueError`` with the mend."""

import re
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from jobmill.application.fair_queues import SHARES_DEFAULT, SHARES_MAX, SHARES_MIN, FairQueues
from jobmill.application.shipped.webhook_signing import parse_secrets
from jobmill.domain.errors import InvalidInput
from jobmill.domain.job_type import queue_name
from jobmill.domain.options import CONTROL
from jobmill.domain.retention import KEEP_MAX, KEEP_MIN

TEXT_CHARS_MAX: Final = 4_096

_SPAN: Final = re.compile(r"(\d{1,6})(h|d)", re.ASCII)
_HOURS_OF: Final = {"h": 1, "d": 24}
_HOST: Final = re.compile(r"[\w.:%-]+")
#: Schemes of providers that are no servers, or whose server is known.
_WITHOUT_HOST: Final = frozenset({"simulate", "fcm", "webpush"})
_MODULE: Final = re.compile(r"[^\W\d][\w-]*(\.[^\W\d][\w-]*)*(:[^\W\d]\w*)?")


def check_text(text: str) -> None:
    """Refuse what no setting may hold, whichever it is."""
    if len(text) > TEXT_CHARS_MAX:
        raise ValueError(f"must have at most {TEXT_CHARS_MAX:,} characters, not {len(text):,}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be UTF-8") from None
    if CONTROL.search(text):
        raise ValueError("must not hold line breaks or other control characters")


def number(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers."""

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= len(str(high)) and low <= int(text) <= high:
            return int(text)
        raise ValueError(f"must be a whole number from {low} to {high:,}")

    return read


def keep(text: str) -> timedelta | None:
    """Read how long something is kept; None for ever."""
    if text.lower() == "never":
        return None
    found = _SPAN.fullmatch(text)
    span = timedelta(hours=int(found[1]) * _HOURS_OF[found[2]]) if found else None
    if span is None or not KEEP_MIN <= span <= KEEP_MAX:
        raise ValueError("must be hours or days from 1h to 36500d, as in 12h or 7d, or never")
    return span


def flag(text: str) -> bool:
    """Read a yes or no."""
    if text in {"0", "1"}:
        return text == "1"
    raise ValueError("must be 0 or 1")


def words(text: str) -> tuple[str, ...]:
    """Read a list with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a reader of one of several words, in small letters or large."""

    def read(text: str) -> str:
        if text.lower() in choices:
            return text.lower()
        raise ValueError("must be one of " + ", ".join(choices))

    return read


def host(text: str) -> str:
    """Read an address to listen on."""
    looks_like_an_ip = ":" in text or not text.strip("0123456789.")
    try:
        if not _HOST.fullmatch(text):
            raise ValueError
        if looks_like_an_ip:
            ip_address(text)
    except ValueError:
        raise ValueError("must be the name or the IP address of this machine") from None
    return text


def folder(text: str) -> Path:
    """Read the path of a folder, which need not be there yet."""
    if not text.strip():
        raise ValueError("must be the path of a folder")
    return Path(text)


def prefix(text: str) -> str:
    """Read the first part of names in the broker."""
    if text.isascii() and text.replace("-", "").replace("_", "").isalnum() and len(text) <= 50:
        return text
    raise ValueError("must be 1 to 50 letters, digits, dashes or underscores")


def database_url(text: str) -> str:
    """Read the address of a database; its options are its adapter's to read."""
    schemes = ("postgresql://", "postgres://", "postgresql+asyncpg://", "sqlite://", "sqlite+aiosqlite://")
    if not text.startswith(schemes):
        raise ValueError("must begin with postgresql:// or sqlite:///")
    if text.startswith("sqlite"):
        if not text.partition(":///")[2]:
            raise ValueError("must name a file, as in sqlite:///jobmill.db")
    else:
        _check_place(text, "must be like postgresql://user:password@host:5432/name", needs_host=False)
    return text


def broker_urls(text: str) -> tuple[str, ...]:
    """Read the addresses of a broker."""
    urls = words(text)
    if urls == ("memory://",):
        return urls
    if not urls or not all(url.startswith(("amqp://", "amqps://")) for url in urls):
        raise ValueError("must be memory:// or one or more of amqp:// and amqps://, with commas between them")
    for url in urls:
        _check_place(url, "must be like amqp://user:password@host:5672/vhost")
    return urls


def provider_urls(shape: str, *schemes: str) -> Callable[[str], tuple[str, ...]]:
    """Return a reader of the addresses of providers; what is in them is their adapters' to read.

    Args:
        shape: what one looks like, for people.
        schemes: those that name a server have a host.
    """
    mend = f"must be like {shape}; several have commas between them, and a comma within is %2C"

    def read(text: str) -> tuple[str, ...]:
        urls = words(text)
        if not urls:
            raise ValueError(mend)
        for url in urls:
            scheme, mark, _ = url.partition("://")
            if not mark or scheme not in schemes:
                raise ValueError(f"{mend}; known are {', '.join(f'{known}://' for known in schemes)}")
            _check_place(url, mend, needs_host=scheme not in _WITHOUT_HOST)
        return urls

    return read


def redis_url(text: str) -> str:
    """Read the address of a Redis; its options are its adapter's to read."""
    shape = "must be like redis://user:password@host:6379/0 or rediss://…"
    if not text.startswith(("redis://", "rediss://")):
        raise ValueError(shape)
    _check_place(text, shape)
    return text


def modules(text: str) -> tuple[str, ...]:
    """Read the names of modules."""
    names = words(text)
    if names and all(_MODULE.fullmatch(name) for name in names):
        return names
    raise ValueError("must be modules like shop.jobs or shop.jobs:handlers, with commas between them")


def fair_queues(text: str) -> FairQueues:
    """Read the names of queues, each with the number of its shares or the usual one."""
    shape = (
        "must be queues like calls,emails:16, each once, with "
        f"{SHARES_MIN} to {SHARES_MAX} shares or the usual {SHARES_DEFAULT}"
    )
    count = number(SHARES_MIN, SHARES_MAX)
    shares: dict[str, int] = {}
    try:
        for part in words(text):
            name, mark, given = part.partition(":")
            if queue_name(name) in shares:
                raise ValueError
            shares[name] = count(given) if mark else SHARES_DEFAULT
    except (InvalidInput, ValueError):
        raise ValueError(shape) from None
    if not shares:
        raise ValueError(shape)
    return FairQueues(shares=shares)


def networks(text: str) -> str:
    """Read networks, which the web client takes as text."""
    shape = "must be networks like 10.1.0.0/16, with commas between them"
    try:
        parts = [ip_network(part) for part in words(text)]
    except ValueError as error:
        # Nothing else is repeated: somebody's address may have come here by mistake, password included.
        raise ValueError(f"{error}; {shape}" if "host bits" in str(error) else shape) from None
    if not parts:
        raise ValueError(shape)
    return text


def webhook_secrets(text: str) -> str:
    """Read the secrets of webhooks, which the types of job take as text."""
    parse_secrets(text)
    return text


smtp_urls: Final = provider_urls(
    "smtp://user:password@host:25, smtps://… or smtp+starttls://…",
    "smtp",
    "smtps",
    "smtp+starttls",
    "simulate",
)
telephone_urls: Final = provider_urls(
    "twilio://SID:TOKEN@api.twilio.com?from=+15550100123", "twilio", "simulate"
)
push_urls: Final = provider_urls(
    "fcm:///etc/service-account.json or webpush://?private_key=…&subject=mailto:you@example.com",
    "fcm",
    "webpush",
    "simulate",
)

#: Readers of lists, which a table may write as lists.
LISTS: Final = (
    broker_urls,
    modules,
    fair_queues,
    networks,
    webhook_secrets,
    smtp_urls,
    telephone_urls,
    push_urls,
)


def _check_place(url: str, shape: str, *, needs_host: bool = True) -> None:
    """Refuse a URL without a host that can be one, or with a port that is none; never repeat its words."""
    mend = f"{shape}, with special characters in the password written as %XX"
    try:
        place = urlsplit(url)
        found, port = place.hostname, place.port
    except ValueError:
        raise ValueError(mend) from None
    if (needs_host and not found) or (found and not _HOST.fullmatch(found)) or port == 0:
        raise ValueError(mend)
