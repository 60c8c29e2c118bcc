"""Ports nobody else is likely to take between our look and the server's bind."""

import random
import socket

# Below the range from which systems draw the ports of outgoing connections.
LOWEST, HIGHEST = 20_000, 31_999
TRIES = 200


def free_ports(count: int) -> list[int]:
    """Find ``count`` different loopback ports on which nothing listens.

    They are drawn by chance, so that test runs side by side rarely look at the same one; a server that
    loses its port all the same is started again with others.
    """
    found: list[int] = []
    for _ in range(TRIES):
        port = random.randint(LOWEST, HIGHEST)
        if port not in found and _can_bind(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"no {count} free ports between {LOWEST} and {HIGHEST}")


def _can_bind(port: int) -> bool:
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
