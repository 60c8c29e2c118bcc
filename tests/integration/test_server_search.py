"""Where the tests' servers are looked for, in which order, and what is said when there is none."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.servers.addresses import postgres_url as plain_url
from tests.servers.containers import RABBITMQ, in_container
from tests.servers.errors import NoAnswer, NoServer, WrongServer
from tests.servers.probes import ask_postgres, ask_rabbitmq
from tests.servers.search import Search, UrlOpener

GIVEN, USUAL, STARTED = "given://", "usual://", "started://"


def search(*answering: str, starts: bool = True) -> Search:
    """A search in a world where only these addresses answer."""

    async def ask(url: str) -> str:
        if url not in answering:
            raise NoAnswer("closed door")
        return "here"

    @asynccontextmanager
    async def start() -> AsyncGenerator[str]:
        if not starts:
            raise NoServer("not installed")
        yield STARTED

    starters: list[tuple[str, UrlOpener]] = [("private server", start)]
    return Search(kind="Thing", setting="THING_URL", usual_url=USUAL, ask=ask, starters=starters)


async def url_found(there: Search, **environment: str) -> str:
    async with there.found(environment) as server:
        return server.url


async def test_the_address_given_comes_first() -> None:
    assert await url_found(search(GIVEN, USUAL), THING_URL=GIVEN) == GIVEN


async def test_then_the_usual_address() -> None:
    assert await url_found(search(GIVEN, USUAL)) == USUAL


async def test_then_a_server_that_is_started_for_the_run() -> None:
    assert await url_found(search(GIVEN)) == STARTED


async def test_an_address_given_that_does_not_answer_is_an_error_and_no_other_is_taken() -> None:
    with pytest.raises(WrongServer, match="THING_URL: no Thing answers there: closed door"):
        await url_found(search(USUAL), THING_URL=GIVEN)


async def test_without_any_server_every_place_is_named_with_its_reason() -> None:
    with pytest.raises(
        NoServer, match=r"set THING_URL.*usual address: closed door; private server: not inst"
    ):
        await url_found(search(starts=False))


@pytest.mark.parametrize("client", ["absent", "without engine"])
async def test_a_container_needs_a_client_and_an_engine(
    client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if client != "absent":
        (tmp_path / "docker").write_text("#!/bin/sh\necho 'cannot connect to the engine' >&2\nexit 1\n")
        (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoServer, match=r"no Docker client|cannot connect to the engine"):
        async with in_container(RABBITMQ):
            pytest.fail("there is no container to be in")


@pytest.mark.parametrize("spelling", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_a_postgres_address_may_be_spelled_in_several_ways(spelling: str) -> None:
    assert plain_url(f"{spelling}://me:s%40fe@db:5433/app") == "postgresql://me:s%40fe@db:5433/app"


def test_another_database_of_the_same_server() -> None:
    assert plain_url("postgres://me@db/app?ssl=true", database="other") == "postgresql://me@db/other?ssl=true"


async def test_a_closed_door_is_an_answer() -> None:
    with pytest.raises(NoAnswer):
        await ask_rabbitmq("amqp://guest:guest@127.0.0.1:1/")
    with pytest.raises(NoAnswer):
        await ask_postgres("postgresql://postgres@127.0.0.1:1/test")
