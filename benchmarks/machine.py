"""What the machine is, and which versions of everything take part."""

import asyncio
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks import postgres, rabbit
from benchmarks.bench import Bench

_PEERS: Final = ("celery", "dramatiq", "taskiq", "taskiq-aio-pika", "faststream", "pgqueuer", "procrastinate")
_OWN: Final = ("jobmill", "aiormq", "asyncpg", "uvloop", "litestar", "uvicorn", "sqlalchemy")
#: Of PostgreSQL, that decide what a commit costs.
_POSTGRES_SETTINGS: Final = ("fsync", "synchronous_commit", "shared_buffers", "max_wal_size")


def machine() -> Mapping[str, str]:
    """Return what it runs on, by name."""
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": platform.platform(),
    }


async def versions(bench: Bench) -> Mapping[str, str]:
    """Return the versions of servers, languages and libraries, by name."""
    addresses = bench.addresses
    found = {"Python": platform.python_version()}
    found["PostgreSQL"] = str(await postgres.ask(addresses.postgres_url, "show server_version"))
    for name in _POSTGRES_SETTINGS:
        found[f"PostgreSQL {name}"] = str(await postgres.ask(addresses.postgres_url, f"show {name}"))
    async with rabbit.connected(addresses.amqp_url) as connection:
        found["RabbitMQ"] = str(connection.server_properties.get("version", "?"))
    found |= {name: version(name) for name in _OWN}
    return found | await asyncio.to_thread(_peers, bench)


def _peers(bench: Bench) -> dict[str, str]:
    python = bench.peers_bin / "python"
    if not python.exists():
        return {}
    question = "import sys, importlib.metadata as m; [print(n, m.version(n)) for n in sys.argv[1:]]"
    answer = subprocess.run(
        [str(python), "-c", question, *_PEERS], capture_output=True, text=True, check=False, timeout=60
    )
    return {name: number for name, _, number in (line.partition(" ") for line in answer.stdout.splitlines())}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
