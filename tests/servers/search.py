"""Where the tests' servers come from: the address given, the usual one, a private one, a container."""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from attrs import frozen

from tests.servers.containers import POSTGRES, RABBITMQ, REDIS, in_container
from tests.servers.errors import NoAnswer, NoServer, ServerFailed, WrongServer
from tests.servers.private_postgres import private_postgres
from tests.servers.private_rabbitmq import private_rabbitmq
from tests.servers.private_redis import private_redis
from tests.servers.probes import ask_postgres, ask_rabbitmq, ask_redis

UrlOpener = Callable[[], AbstractAsyncContextManager[str]]


@frozen(kw_only=True)
class Found:
    """A server that answers."""

    url: str
    origin: str


@frozen(kw_only=True)
class Search:
    """The places to look for one kind of server, in this order."""

    kind: str
    setting: str
    usual_url: str
    ask: Callable[[str], Awaitable[str]]
    starters: Sequence[tuple[str, UrlOpener]]

    @asynccontextmanager
    async def found(self, environment: Mapping[str, str] = os.environ) -> AsyncGenerator[Found]:
        """The first server that answers; what was started for it ends with the block.

        Raises:
            WrongServer: the environment names a server and that one does not answer; no other is tried.
            NoServer: there is none; the message has a reason for each place.
        """
        given = environment.get(self.setting)
        if given:
            await self._must_answer(given)
            yield Found(url=given, origin=self.setting)
            return
        async with AsyncExitStack() as stack:
            yield await self._usual_or_started(stack)

    async def _must_answer(self, url: str) -> None:
        try:
            await self.ask(url)
        except NoAnswer as refusal:
            raise WrongServer(f"{self.setting}: no {self.kind} answers there: {refusal}") from refusal

    async def _usual_or_started(self, stack: AsyncExitStack) -> Found:
        try:
            await self.ask(self.usual_url)
            return Found(url=self.usual_url, origin="usual address")
        except NoAnswer as refusal:
            reasons = [f"usual address: {refusal}"]
        for origin, opener in self.starters:
            try:
                return Found(url=await stack.enter_async_context(opener()), origin=origin)
            except (NoServer, ServerFailed) as reason:
                reasons.append(f"{origin}: {reason}")
        raise NoServer(f"no {self.kind} to test against (set {self.setting}); " + "; ".join(reasons))


@asynccontextmanager
async def _private_rabbitmq_url() -> AsyncGenerator[str]:
    async with private_rabbitmq() as server:
        yield server.url


@asynccontextmanager
async def _private_postgres_url() -> AsyncGenerator[str]:
    async with private_postgres() as server:
        yield server.url


@asynccontextmanager
async def _private_redis_url() -> AsyncGenerator[str]:
    async with private_redis() as server:
        yield server.url


RABBITMQ_SEARCH = Search(
    kind="RabbitMQ",
    setting="JOBMILL_TEST_AMQP_URL",
    usual_url="amqp://guest:guest@127.0.0.1:5672/",
    ask=ask_rabbitmq,
    starters=(
        ("private server", _private_rabbitmq_url),
        ("container", lambda: in_container(RABBITMQ)),
    ),
)

POSTGRES_SEARCH = Search(
    kind="PostgreSQL",
    setting="JOBMILL_TEST_POSTGRES_URL",
    usual_url="postgresql://postgres@127.0.0.1:5432/test",
    ask=ask_postgres,
    starters=(
        ("private server", _private_postgres_url),
        ("container", lambda: in_container(POSTGRES)),
    ),
)

REDIS_SEARCH = Search(
    kind="Redis",
    setting="JOBMILL_TEST_REDIS_URL",
    usual_url="redis://127.0.0.1:6379/",
    ask=ask_redis,
    starters=(
        ("private server", _private_redis_url),
        ("container", lambda: in_container(REDIS)),
    ),
)
