"""Requests and clients for tests."""

import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from attrs import define, field

from jobmill.adapters.http_client import AddressGuard, AiohttpWebClient, WebBounds, open_web_client
from jobmill.application.ports.providers import WebRequest


@define
class Names(AbstractResolver):
    """A phone book instead of the real one."""

    addresses: dict[str, list[str]] = field(factory=dict)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host not in self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in self.addresses[host]
        ]

    async def close(self) -> None:
        self.addresses = {}


def a_request(
    url: str, *, method: str = "POST", headers: Mapping[str, str] | None = None, body: bytes = b'{"a":1}'
) -> WebRequest:
    """A request with whatever the test names."""
    return WebRequest(method=method, url=url, headers=headers or {}, body=body)


@asynccontextmanager
async def a_client(
    *, names: Names | None = None, guard: AddressGuard | None = None, **bounds: Any
) -> AsyncGenerator[AiohttpWebClient]:
    """A client that may call this machine, unless the test gives it another guard."""
    guard = guard or AddressGuard(allow_loopback=True)
    opened = open_web_client(version="1.2.3", resolver=names, guard=guard, bounds=WebBounds(**bounds))
    async with opened as client:
        yield client
