"""Clean databases on a PostgreSQL server that others use too."""

import itertools
import secrets
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import asyncpg
from attrs import field, frozen

from tests.servers.addresses import postgres_url

PREFIX = "jobmill_test_"


@frozen(kw_only=True)
class Databases:
    """Databases of this test run; their names begin alike, so the last call can drop whatever is left."""

    server_url: str
    _run: str = field(factory=lambda: PREFIX + secrets.token_hex(5))
    _numbers: Iterator[int] = field(factory=lambda: itertools.count(1), repr=False)

    @asynccontextmanager
    async def fresh(self, *, template: str | None = None) -> AsyncGenerator[str]:
        """The URL of a new database, dropped at the end whoever is still connected.

        Args:
            template: the URL of a database to copy, to which nobody is connected; an empty one if None.
                Copying a migrated one is much faster than migrating again.
        """
        url = await self.create(template=template)
        try:
            yield url
        finally:
            await self.drop(url)

    async def create(self, *, template: str | None = None) -> str:
        """Make a database that lives until it is dropped, or until the test run ends."""
        name = f"{self._run}_{next(self._numbers)}"
        source = f' template "{_name_in(template)}"' if template else ""
        await self._execute(f'create database "{name}"{source}')
        return postgres_url(self.server_url, database=name)

    async def drop(self, url: str) -> None:
        """Drop one of ours, and break off who is still connected to it."""
        name = _name_in(url)
        if not name.startswith(self._run):
            raise ValueError(f"{name} was not made by this test run")
        await self._execute(f'drop database if exists "{name}" with (force)')

    async def drop_all(self) -> None:
        """Drop every database that this test run left."""
        question = "select datname from pg_database where starts_with(datname, $1)"
        connection = await asyncpg.connect(postgres_url(self.server_url))
        try:
            names = [row["datname"] for row in await connection.fetch(question, self._run + "_")]
        finally:
            await connection.close()
        for name in names:
            await self.drop(postgres_url(self.server_url, database=name))

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(postgres_url(self.server_url))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _name_in(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
