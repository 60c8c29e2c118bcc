"""Which mail server to use and how, read from an address whose password is never shown."""

import ssl
from collections.abc import Mapping
from enum import Enum
from typing import Final
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from jobmill.application.codec.mail import address_fault
from jobmill.application.errors import WrongAddress
from jobmill.application.provider_urls import only_known, options_of

SENDER_DEFAULT: Final = "jobmill@localhost"
#: What may stand behind the question mark.
OPTIONS: Final = frozenset({"cafile", "from"})
_SHAPE: Final = "smtp://user:password@host:25, smtps://… or smtp+starttls://…"


class Security(Enum):
    """How the connection is protected. Nothing is ever guessed: what the address says is done."""

    NONE = "smtp"
    TLS = "smtps"  # from the first byte
    STARTTLS = "smtp+starttls"  # the server must offer it


_PORTS: Final = {Security.NONE: 25, Security.TLS: 465, Security.STARTTLS: 587}


@frozen(kw_only=True)
class SmtpServer:
    """A mail server. Shown as text it has no password.

    Args:
        username: None to send without logging in.
        sender: the address that mails come from.
        tls: what to trust; None where the connection is not protected.
    """

    security: Security
    host: str
    port: int
    username: str | None = None
    password: str = field(default="", repr=False)
    sender: str = SENDER_DEFAULT
    tls: ssl.SSLContext | None = field(default=None, repr=False, eq=False)

    @property
    def place(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        """Return the address without password and options."""
        user = f"{self.username}@" if self.username else ""
        return f"{self.security.value}://{user}{self.place}"


def parse_smtp_url(text: str) -> SmtpServer:
    """Read ``smtp://``, ``smtps://`` or ``smtp+starttls://``, with ``?from=`` and ``?cafile=`` if given.

    Raises:
        WrongAddress: the address cannot be read; its words are not repeated.
    """
    try:
        url = urlsplit(text)
        security, port = Security(url.scheme), url.port
        host = (url.hostname or "").encode("idna").decode()
    except ValueError:
        raise WrongAddress(
            f"the mail server's address cannot be read; it should look like {_SHAPE}, "
            "with special characters in the password written as %XX"
        ) from None
    if not host or url.path not in ("", "/") or port == 0:
        raise WrongAddress(f"the mail server's address should hold a host and a port only, like {_SHAPE}")
    options = only_known(options_of(url), OPTIONS, what="the mail server's address")
    return SmtpServer(
        security=security,
        host=host,
        port=port or _PORTS[security],
        username=None if url.username is None else unquote(url.username),
        password=unquote(url.password or ""),
        sender=_sender(options),
        tls=_tls(security, options),
    )


def _sender(options: Mapping[str, str]) -> str:
    sender = options.get("from", SENDER_DEFAULT)
    if fault := address_fault(sender):
        raise WrongAddress(f"from= in the mail server's address {fault}")
    return sender


def _tls(security: Security, options: Mapping[str, str]) -> ssl.SSLContext | None:
    if security is Security.NONE:
        return None
    try:
        return ssl.create_default_context(cafile=options.get("cafile"))
    except OSError as error:
        raise WrongAddress(f"cafile= in the mail server's address cannot be used: {error}") from error
