"""Node.js with the libraries of the lock file, installed once for a clone."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from attrs import frozen

HERE: Final = Path(__file__).parent
BUILD: Final = HERE.parents[2] / "build"
INSTALL_WITHIN_S: Final = 120
PUBLISH_WITHIN_S: Final = 60.0


@frozen
class NodeProducer:
    """Runs ``producer.js``."""

    node: str
    modules: Path

    async def publishes(self, url: str, *, queues: Mapping[str, str], count: int) -> int:
        """Publish ``count`` messages of each shape, twice, and garbage; return how many were confirmed."""
        process = await asyncio.create_subprocess_exec(
            self.node,
            str(HERE / "producer.js"),
            url,
            json.dumps({"queues": queues, "count": count}),
            env={"NODE_PATH": str(self.modules), "PATH": os.environ.get("PATH", "")},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(PUBLISH_WITHIN_S):
            out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return int(out)


def node_producer() -> NodeProducer:
    """Return it; skips the test on a laptop without Node, and fails it on CI where Node does not work."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("no Node.js with npm here")
    lock = (HERE / "package-lock.json").read_bytes()
    folder = BUILD / f"node-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not folder.is_dir():
        lack = _install(npm, folder)
        if lack:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"npm cannot install amqplib: {lack}")
    return NodeProducer(node, folder / "node_modules")


def _install(npm: str, folder: Path) -> str:
    """Install beside, and move into place when all of it is there; return what went wrong."""
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
    fresh.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, fresh)
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        subprocess.run(command, cwd=fresh, check=True, capture_output=True, timeout=INSTALL_WITHIN_S)
        fresh.rename(folder)
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", None) or b""
        return f"{error}: {said.decode(errors='replace')[-500:]}"
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return ""
