"""Reading the addresses of providers; none of their words but names of options is ever repeated."""

import re
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from attrs import field, frozen

from jobmill.application.errors import WrongAddress

_NAME: Final = re.compile(r"[a-z_]{1,20}")


@frozen(kw_only=True)
class ProviderUrl:
    """An address in its parts, each with its percent signs resolved; what may be secret is not shown.

    Args:
        host: in its ASCII form; empty for none.
        options: what stands behind the question mark. A plus sign stays one: telephone numbers have it.
    """

    scheme: str
    host: str
    port: int | None
    path: str
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(repr=False)

    @property
    def place(self) -> str:
        """Host and port as a URL has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    def only(self, known: Collection[str]) -> Mapping[str, str]:
        """Return the options; raises ``WrongAddress`` for one that is not known."""
        return only_known(self.options, known, what=f"the {self.scheme} address")

    def required(self, name: str, shape: str) -> str:
        """Return an option that has to be there; raises ``WrongAddress`` with an example of it."""
        if value := self.options.get(name):
            return value
        raise WrongAddress(f"the {self.scheme} address has to say {name}=, as in {shape}")


def read_provider_url(text: str) -> ProviderUrl:
    """Return the parts of an address; raises ``WrongAddress`` if there are none to be found."""
    try:
        url = urlsplit(text)
        port = url.port
        host = (url.hostname or "").encode("idna").decode()
    except ValueError:
        raise WrongAddress(
            "the address cannot be read; special characters in its parts are written as %XX"
        ) from None
    if port == 0:
        raise WrongAddress(f"the {url.scheme} address names the port 0, which is none")
    return ProviderUrl(
        scheme=url.scheme,
        host=host,
        port=port,
        path=unquote(url.path),
        username=None if url.username is None else unquote(url.username),
        password=None if url.password is None else unquote(url.password),
        options=options_of(url),
    )


def options_of(url: SplitResult) -> Mapping[str, str]:
    """Return what stands behind the question mark; a plus sign stays one."""
    pairs = (part.partition("=") for part in url.query.split("&") if part)
    return {unquote(name): unquote(value) for name, _, value in pairs}


def only_known(options: Mapping[str, str], known: Collection[str], *, what: str) -> Mapping[str, str]:
    """Return the options; raises ``WrongAddress`` for one that is not known."""
    if unknown := sorted(set(options) - set(known)):
        # Where an unescaped & or ? has cut a password in two, a piece of it looks like a name.
        shown = ", ".join(name if _NAME.fullmatch(name) else "(no name)" for name in unknown)
        raise WrongAddress(f"{what} has unknown options {shown}; known: {', '.join(sorted(known))}")
    return options


def without_options(text: str, names: Collection[str]) -> tuple[str, Mapping[str, str]]:
    """Take some options out of an address: return the rest of it, and them with their values."""
    head, mark, query = text.partition("?")
    query, hash_mark, fragment = query.partition("#")
    taken: dict[str, str] = {}
    left: list[str] = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if unquote(name) in names:
            taken[unquote(name)] = unquote(value)
        else:
            left.append(part)
    rest = "&".join(left)
    return head + (mark if rest else "") + rest + hash_mark + fragment, taken
