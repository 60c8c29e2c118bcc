"""Ports nobody else is likely to take between our look and the server's bind, nor while it is restarted."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below the range from which systems draw the ports of outgoing connections.
LOWEST, HIGHEST = 20_000, 31_999
TRIES = 200
#: One file for each port that a test run of this user has drawn; its lock ends with the process.
CLAIMS = Path(tempfile.gettempdir(), f"jobmill-test-ports-{os.getuid()}")

_chance = random.SystemRandom()  # a fuzzer that seeds the common one would make all runs draw the same


def free_ports(count: int) -> list[int]:
    """Find ``count`` different loopback ports on which nothing listens.

    They are drawn by chance, and no other test run is given one while this process lives. A server that
    loses its port to somebody else all the same is started again with others.
    """
    found: list[int] = []
    for _ in range(TRIES):
        port = _chance.randint(LOWEST, HIGHEST)
        if _can_bind(port) and _is_claimed(port):
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


def _is_claimed(port: int) -> bool:
    """Claim a port; False where any run, this one included, has claimed it before and is still there."""
    CLAIMS.mkdir(exist_ok=True)
    claim = os.open(CLAIMS / str(port), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(claim)
        return False
    return True  # the file stays open: the lock is the claim
