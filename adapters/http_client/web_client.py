"""The client that calls web servers through aiohttp."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
    ThreadedResolver,
)
from aiohttp.abc import AbstractResolver
from attrs import frozen
from yarl import URL

from jobmill.adapters.http_client.address_guard import AddressGuard, GuardedResolver, RefusedAddress
from jobmill.adapters.http_client.bounds import WebBounds
from jobmill.application.ports.providers import (
    ProviderRefused,
    ProviderUnavailable,
    WebAnswer,
    WebClient,
    WebRequest,
)


@frozen(kw_only=True)
class AiohttpWebClient(WebClient):
    """One pool of connections for all calls. It keeps no cookies and knows no proxy."""

    session: ClientSession
    places: asyncio.Semaphore
    bounds: WebBounds

    async def call(self, request: WebRequest) -> WebAnswer:
        """Send the request and read the answer as far as the bound."""
        try:
            url = URL(request.url, encoded=True)
            host = url.host_port_subcomponent
        except ValueError:
            raise ProviderRefused("the URL cannot be used") from None
        try:
            async with self.places, asyncio.timeout(self.bounds.total_s):
                return await self._exchange(url, request)
        except (InvalidURL, UnicodeError):
            raise ProviderRefused(f"{host} cannot be called: that is no host name") from None
        except ClientConnectorError as error:
            if isinstance(error.__cause__, RefusedAddress):
                raise ProviderRefused(str(error.__cause__)) from None
            raise ProviderUnavailable(f"no connection to {host}: {error.__cause__ or error}") from error
        except TimeoutError as error:
            limit = f"{self.bounds.connect_s:g} s to connect, {self.bounds.total_s:g} s in all"
            raise ProviderUnavailable(f"{host} did not answer in time ({limit})") from error
        except (ClientError, OSError) as error:
            named = str(error) or type(error).__name__
            raise ProviderUnavailable(f"{host} broke off: {named}") from error

    async def _exchange(self, url: URL, request: WebRequest) -> WebAnswer:
        async with self.session.request(
            request.method,
            url,
            headers=dict(request.headers),
            data=request.body or None,
            allow_redirects=False,
            skip_auto_headers=("Content-Type", "Accept-Encoding"),
        ) as response:
            return WebAnswer(
                status=response.status,
                body_bytes=await self._read(response),
                retry_after=response.headers.get("Retry-After"),
            )

    async def _read(self, response: ClientResponse) -> int:
        """Read up to the bound, so that the connection can serve again.

        One with more to say is closed by the session, since the block around the answer ends before that.
        """
        left = self.bounds.answer_bytes_max
        while left and (chunk := await response.content.read(left)):
            left -= len(chunk)
        return self.bounds.answer_bytes_max - left


@asynccontextmanager
async def open_web_client(
    *,
    version: str,
    resolver: AbstractResolver | None = None,
    guard: AddressGuard = AddressGuard(),  # noqa: B008 - a frozen value
    bounds: WebBounds = WebBounds(),  # noqa: B008 - a frozen value
) -> AsyncGenerator[AiohttpWebClient]:
    """Open the pool; leaving the block closes it.

    Args:
        version: of Jobmill, for the header by which servers tell who calls.
        resolver: who looks up names; the machine itself unless another is given.
    """
    connector = TCPConnector(
        resolver=GuardedResolver(inner=resolver or ThreadedResolver(), guard=guard),
        socket_factory=guard.open_socket,
        limit=bounds.connections_max,
    )
    session = ClientSession(
        connector=connector,
        headers={"User-Agent": f"jobmill/{version}"},
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None, sock_connect=bounds.connect_s),
        auto_decompress=False,  # a few bytes may unpack to gigabytes, and nobody looks at them
        read_bufsize=bounds.buffer_bytes,
    )
    async with session:
        yield AiohttpWebClient(
            session=session, places=asyncio.Semaphore(bounds.connections_max), bounds=bounds
        )
