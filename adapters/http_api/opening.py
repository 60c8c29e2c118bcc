"""Opening the pool of connections to one HTTP API."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from jobmill.adapters.http_api.bounds import CONNECT_S, CONNECTIONS_MAX, KEEP_ALIVE_S
from jobmill.adapters.http_api.exchange import Exchange
from jobmill.adapters.http_api.gateway import HttpGateway
from jobmill.application.errors import WrongAddress

_PREFIX: Final = "api"


@asynccontextmanager
async def open_http_gateway(url: str, *, api_key: str | None, version: str) -> AsyncGenerator[HttpGateway]:
    """Open the pool; nothing is connected yet.

    Args:
        url: ``http://host:port`` or ``https://host``, with a path if a proxy puts the API below one.
        api_key: sent as a bearer token; None for an API that asks for none.
        version: of Jobmill, for the header by which servers tell who calls.

    Raises:
        WrongAddress: the URL names no host. Its text is not shown, for it may hold a secret.
    """
    try:
        address = URL(url)
    except ValueError:
        address = URL()
    if not address.host or address.query_string or address.fragment:
        raise WrongAddress("the URL of the HTTP API cannot be used; write http://host:3000 or https://host")
    headers = {"User-Agent": f"jobmill/{version}", "Accept": "application/json"}
    if api_key is not None:
        headers["Authorization"] = f"Bearer {api_key}"
    session = ClientSession(
        connector=TCPConnector(limit=CONNECTIONS_MAX, keepalive_timeout=KEEP_ALIVE_S),
        headers=headers,
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None, connect=None, sock_connect=CONNECT_S),
    )
    async with session:
        if not address.path.rstrip("/").endswith(f"/{_PREFIX}"):
            address = address / _PREFIX
        yield HttpGateway(exchange=Exchange(session=session, address=address))
