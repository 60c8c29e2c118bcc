"""Which addresses may be reached: the public ones, and what a setting allows beside them.

A name proves nothing, since whoever owns it may let it point anywhere at any moment. So the guard looks at
the address itself, at the last moment: when the socket for it is made.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult
from attrs import frozen

from jobmill.application.errors import WrongAddress

#: Names, as a comma list, the networks that may be reached although they are not public.
NETWORKS_SETTING: Final = "JOBMILL_WEBHOOK_NETWORKS"

Network = IPv4Network | IPv6Network

#: All of IPv6 that is routed publicly lies in here.
_PUBLIC_V6: Final = IPv6Network("2000::/3")
#: Public by their number, yet leading elsewhere: an IPv4 network behind a tunnel, a cloud's own service.
_NOT_REALLY_PUBLIC: Final[Sequence[Network]] = (
    IPv6Network("2001::/23"),  # Teredo and other protocols
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("3fff::/20"),  # documentation
    IPv4Network("192.0.0.0/24"),  # protocols of their own; not every Python knows all of it
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv4Network("168.63.129.16/32"),  # Azure's service for its machines
)
#: A gateway from IPv6 turns these into the IPv4 address in their last 32 bits.
_NAT64: Final = IPv6Network("64:ff9b::/96")


class RefusedAddress(OSError):
    """An address that must not be reached; the message names it and the setting."""


@frozen(kw_only=True)
class AddressGuard:
    """The rule for addresses.

    Args:
        allow_loopback: this machine itself may be reached, and nothing else private.
        networks: these may be reached as well.
    """

    allow_loopback: bool = False
    networks: tuple[Network, ...] = ()

    def check(self, address: str) -> None:
        """Let an address pass.

        Raises:
            RefusedAddress: it is not public and not allowed, or it is no address at all.
        """
        try:
            ip = _meant(ip_address(address))
        except ValueError:
            raise RefusedAddress(f"{address[:100]} is not an address in its usual form") from None
        if _is_public(ip) or any(ip in network for network in self.networks):
            return
        if ip.is_loopback and self.allow_loopback:
            return
        kind = _kind(ip)
        shown = address if str(ip) == address else f"{address} ({ip})"
        raise RefusedAddress(
            f"{shown} is {kind} address, where a webhook may go only if {NETWORKS_SETTING} lists it"
        )

    def open_socket(self, target: AddrInfoType) -> socket.socket:
        """Make the socket that is about to be connected to ``target``; raises as ``check``."""
        family, kind, protocol, _, where = target
        self.check(str(where[0]))
        return socket.socket(family=family, type=kind, proto=protocol)


@frozen(kw_only=True)
class GuardedResolver(AbstractResolver):
    """Leaves out what the guard would refuse, so that a public address beside it is still found."""

    inner: AbstractResolver
    guard: AddressGuard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses that may be reached; raises ``RefusedAddress`` if there is none."""
        allowed: list[ResolveResult] = []
        refusal = RefusedAddress(f"{host[:100]} has no address")
        for found in await self.inner.resolve(host, port, family):
            try:
                self.guard.check(found["host"])
                allowed.append(found)
            except RefusedAddress as error:
                refusal = error
        if not allowed:
            raise refusal
        return allowed

    async def close(self) -> None:
        """Close the resolver inside."""
        await self.inner.close()


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read the setting: addresses and networks such as ``10.1.0.0/16, fd00::7``, separated by commas.

    Raises:
        WrongAddress: one of them cannot be read.
    """
    parts = [part.strip() for part in text.split(",")]
    try:
        return tuple(ip_network(part) for part in parts if part)
    except ValueError as error:
        raise WrongAddress(f"{NETWORKS_SETTING}: {error}; a network looks like 10.1.0.0/16") from None


def _meant(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address that packets end up at."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if any(ip in network for network in _NOT_REALLY_PUBLIC) or ip.is_multicast or not ip.is_global:
        return False
    return isinstance(ip, IPv4Address) or ip in _PUBLIC_V6


def _kind(ip: IPv4Address | IPv6Address) -> str:
    kinds = (
        (ip.is_loopback, "a loopback"),
        (ip.is_link_local, "a link-local"),
        (ip.is_multicast, "a multicast"),
        (ip.is_private and not ip.is_unspecified, "a private"),
    )
    return next((kind for holds, kind in kinds if holds), "a special-purpose")
