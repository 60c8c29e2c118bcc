"""The last resort: a throwaway container, where a Docker engine answers."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from attrs import frozen

from tests.servers.errors import NoAnswer, NoServer
from tests.servers.probes import ask_postgres, ask_rabbitmq, ask_redis
from tests.servers.waiting import until

ENGINE_WITHIN_S = 10.0
IMAGE_WITHIN_S = 240.0
READY_WITHIN_S = 60.0


@frozen(kw_only=True)
class Recipe:
    """How one kind of server is run in a container, and reached from outside."""

    image: str
    port: int
    url: str
    ask: Callable[[str], Awaitable[str]]
    options: tuple[str, ...] = ()


RABBITMQ = Recipe(image="rabbitmq:4", port=5672, url="amqp://guest:guest@127.0.0.1:{port}/", ask=ask_rabbitmq)
POSTGRES = Recipe(
    image="postgres:17-alpine",
    port=5432,
    url="postgresql://postgres@127.0.0.1:{port}/postgres",
    ask=ask_postgres,
    options=("--env", "POSTGRES_HOST_AUTH_METHOD=trust"),
)
REDIS = Recipe(image="redis:7-alpine", port=6379, url="redis://127.0.0.1:{port}/", ask=ask_redis)


@asynccontextmanager
async def in_container(recipe: Recipe) -> AsyncGenerator[str]:
    """The URL of a server in a container, which is removed at the end.

    Raises:
        NoServer: no engine answers, or the server in it does not come up.
    """
    await _docker("version", "--format", "{{.Server.Version}}", within_s=ENGINE_WITHIN_S)
    options = ("--publish", f"127.0.0.1::{recipe.port}", *recipe.options)
    container = await _docker("run", "--detach", "--rm", *options, recipe.image, within_s=IMAGE_WITHIN_S)
    try:
        address = await _docker("port", container, f"{recipe.port}/tcp", within_s=ENGINE_WITHIN_S)
        url = recipe.url.format(port=address.splitlines()[0].rpartition(":")[2])

        async def answered() -> bool:
            try:
                await recipe.ask(url)
            except NoAnswer:
                return False
            return True

        if not await until(answered, within_s=READY_WITHIN_S):
            raise NoServer(f"{recipe.image} was started but does not answer within {READY_WITHIN_S:.0f} s")
        yield url
    finally:
        await _docker("rm", "--force", "--volumes", container, within_s=ENGINE_WITHIN_S)


async def _docker(*arguments: str, within_s: float) -> str:
    program = shutil.which("docker")
    if program is None:
        raise NoServer("no Docker client")
    try:
        done = await asyncio.to_thread(
            subprocess.run, [program, *arguments], capture_output=True, text=True, timeout=within_s
        )
    except subprocess.TimeoutExpired as error:
        raise NoServer(f"docker {arguments[0]} took more than {within_s:.0f} s") from error
    if done.returncode:
        raise NoServer(f"docker {arguments[0]}: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return done.stdout.strip()
