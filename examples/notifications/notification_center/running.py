"""Jobmill and providers as processes of a measured run: started, asked whether they are there, and ended.

With ``JOBMILL_BROKER_URL`` in the environment: an API process and workers, on the database and prefix that
stand there, after `jobmill migrate`. Without: ``jobmill up`` in a folder that is thrown away.
"""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from attrs import define

GRACE_S = 30.0
START_S = 60.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@define(kw_only=True)
class Mill:
    """The processes of Jobmill, and where its API is."""

    url: str
    is_embedded: bool
    _env: Mapping[str, str]
    _stack: AsyncExitStack

    async def start_workers(self, count: int) -> None:
        """Start so many workers at once; embedded, there is one in the process that runs already."""
        started = []
        for _ in range(0 if self.is_embedded else count):
            port = free_port()
            env = {**self._env, "JOBMILL_METRICS_PORT": str(port)}
            worker = await self._stack.enter_async_context(running(["jobmill", "worker"], env=env))
            started.append((port, worker))
        for port, worker in started:
            await answers(f"http://127.0.0.1:{port}/health/ready", worker)


@asynccontextmanager
async def open_mill(settings: Mapping[str, str]) -> AsyncGenerator[Mill]:
    """Start all but the workers; what was started has ended at the end."""
    port = free_port()
    is_embedded = "JOBMILL_BROKER_URL" not in os.environ
    async with AsyncExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        env = {"JOBMILL_LOG": "warning", "JOBMILL_HOME": home, **os.environ, **settings}
        env |= {"JOBMILL_PORT": str(port)}
        line = ["jobmill", "up" if is_embedded else "api"]
        served = await stack.enter_async_context(running(line, env=env))
        url = f"http://127.0.0.1:{port}"
        await answers(f"{url}/health/ready", served)
        yield Mill(url=url, is_embedded=is_embedded, env=env, stack=stack)


@asynccontextmanager
async def open_provider(*, latency_s: float) -> AsyncGenerator[httpx.AsyncClient]:
    """Start a provider of texts, and return the client by which it is switched."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    line = [sys.executable, "-m", "notification_center.provider", "--host", "127.0.0.1"]
    line += ["--port", str(port), "--latency-s", str(latency_s)]
    async with running(line, env=os.environ) as provider, httpx.AsyncClient(base_url=url) as client:
        await answers(url, provider)
        yield client


def texts_through(provider: httpx.AsyncClient) -> str:
    """The address of a provider as a setting has it."""
    url = str(provider.base_url).rstrip("/").replace(":", "%3A").replace("/", "%2F")
    return f"twilio://AC1:token@localhost?from=+15550100123&base_url={url}"


@asynccontextmanager
async def running(
    line: Sequence[str], *, env: Mapping[str, str]
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process that is asked to end, and killed if it does not."""
    if line[0] == "jobmill":
        line = [str(Path(sys.executable).with_name("jobmill")), *line[1:]]
    process = await asyncio.create_subprocess_exec(*line, env=dict(env), stdout=asyncio.subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), GRACE_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def answers(url: str, process: asyncio.subprocess.Process) -> None:
    """Wait until a process answers at this address with 200; without it there is no run.

    Raises:
        TimeoutError: it does not within a minute.
    """
    async with asyncio.timeout(START_S), httpx.AsyncClient() as client:
        while True:
            if process.returncode is not None:
                sys.exit("a process has ended at its start; it says why above")
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
