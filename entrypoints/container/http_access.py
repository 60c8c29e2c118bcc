"""A client's way over HTTP."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version

from jobmill.application.opening import Access


@asynccontextmanager
async def open_http_access(url: str, *, api_key: str | None) -> AsyncGenerator[Access]:
    """Open a pool of connections to an HTTP API; raises ``WrongAddress``."""
    from jobmill.adapters.http_api import open_http_gateway  # loaded only where it is used

    async with open_http_gateway(url, api_key=api_key, version=version("jobmill")) as gateway:
        yield Access(gateway=gateway)
