"""Where brokers are, in a form that can be shown without giving a password away."""

import ssl
from collections.abc import Sequence
from typing import Final

from attrs import field, frozen
from yarl import URL

from jobmill.application.errors import WrongAddress

DEFAULT_PORTS: Final = {"amqp": 5672, "amqps": 5671}
#: What may stand behind the question mark; the first three name files and mean something with amqps only.
OPTIONS: Final = frozenset({"cafile", "certfile", "keyfile", "auth"})


@frozen(kw_only=True)
class Address:
    """One broker. Shown as text it has no password."""

    url: URL = field(repr=False)
    tls: ssl.SSLContext | None = field(repr=False)

    def __str__(self) -> str:
        """Return scheme, user, host, port and virtual host."""
        return str(self.url.with_password(None).with_query(None))

    def with_heartbeat(self, seconds: int) -> URL:
        """Return what the client library wants: it reads the heartbeat from the URL only."""
        return self.url.update_query(heartbeat=str(seconds))


def parse_addresses(urls: Sequence[str]) -> tuple[Address, ...]:
    """Read ``amqp://`` and ``amqps://`` addresses, in the order of preference.

    Raises:
        WrongAddress: there is none, or one cannot be read.
    """
    if not urls:
        raise WrongAddress("no broker address is given; one looks like amqp://user:password@host:5672/vhost")
    return tuple(_parse(url) for url in urls)


def _parse(text: str) -> Address:
    try:
        url = URL(text)
        port = url.port
    except ValueError:
        # The library's own words would show the whole address, password included.
        raise WrongAddress(
            "a broker address cannot be read; it should look like amqp://user:password@host:5672/vhost, "
            "with special characters in the password written as %XX"
        ) from None
    if url.scheme not in DEFAULT_PORTS or not url.host:
        raise WrongAddress(
            f"a broker address must begin with amqp:// or amqps:// and a host, not {url.scheme}:"
        )
    unknown = sorted(set(url.query) - OPTIONS)
    if unknown:
        known = ", ".join(sorted(OPTIONS))
        raise WrongAddress(f"the broker address has unknown options {', '.join(unknown)}; known: {known}")
    return Address(url=url.with_port(port or DEFAULT_PORTS[url.scheme]), tls=_tls(url))


def _tls(url: URL) -> ssl.SSLContext | None:
    """Make the context here: the client library's own options for it switch verification off by mistake."""
    if url.scheme != "amqps":
        return None
    try:
        context = ssl.create_default_context(cafile=url.query.get("cafile"))
        if "certfile" in url.query:
            context.load_cert_chain(url.query["certfile"], url.query.get("keyfile"))
    except OSError as error:
        raise WrongAddress(f"the certificates named in the broker address cannot be used: {error}") from error
    return context
