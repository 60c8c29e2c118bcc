"""The client that calls web servers through aiohttp."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import SimpleNamespace

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
    TraceConfig,
    TraceRequestHeadersSentParams,
)
from aiohttp.abc import AbstractResolver
from attrs import define, frozen
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


@define
class _Departure:
    """Whether anything of a request may have left this machine."""

    has_left: bool = False


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
        departure = _Departure()
        try:
            async with self.places, asyncio.timeout(self.bounds.total_s):
                return await self._exchange(url, request, departure)
        except (InvalidURL, UnicodeError):
            raise ProviderRefused(f"{host} cannot be called: that is no host name") from None
        except ClientConnectorError as error:
            if isinstance(error.__cause__, RefusedAddress):
                raise ProviderRefused(str(error.__cause__)) from None
            raise ProviderUnavailable(f"no connection to {host}: {error.__cause__ or error}") from error
        except TimeoutError:
            limit = f"{self.bounds.connect_s:g} s to connect, {self.bounds.total_s:g} s in all"
            late = f"{host} did not answer in time ({limit})"
            raise ProviderUnavailable(late, in_doubt=departure.has_left) from None
        except (ClientError, OSError) as error:
            # Not its own words, which may hold what the server sent, and that may be what was sent to it.
            broken = f"{host} broke off: {type(error).__name__}"
            raise ProviderUnavailable(broken, in_doubt=departure.has_left) from None

    async def _exchange(self, url: URL, request: WebRequest, departure: _Departure) -> WebAnswer:
        async with self.session.request(
            request.method,
            url,
            headers=dict(request.headers),
            data=request.body or None,
            allow_redirects=False,
            skip_auto_headers=("Content-Type", "Accept-Encoding"),
            trace_request_ctx=departure,
        ) as response:
            return WebAnswer(
                status=response.status,
                body=await self._read(response),
                retry_after=response.headers.get("Retry-After"),
                location=response.headers.get("Location"),
            )

    async def _read(self, response: ClientResponse) -> bytes:
        """Read up to the bound, so that the connection can serve again.

        One with more to say is closed by the session, since the block around the answer ends before that.
        """
        chunks: list[bytes] = []
        left = self.bounds.answer_bytes_max
        while left and (chunk := await response.content.read(left)):
            chunks.append(chunk)
            left -= len(chunk)
        return b"".join(chunks)


async def _on_headers_sent(
    _session: ClientSession, context: SimpleNamespace, _sent: TraceRequestHeadersSentParams
) -> None:
    """Called just before the first byte goes out; the context holds what the request came with."""
    context.trace_request_ctx.has_left = True


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
    tracing = TraceConfig()
    tracing.on_request_headers_sent.append(_on_headers_sent)
    session = ClientSession(
        connector=connector,
        trace_configs=[tracing],
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
