"""Bringing a migrated PostgreSQL database back to how the migration left it.

A new database for every test would be cleaner still, and takes over a second where this takes a tenth. The
few rows of a test are deleted: truncating makes new files for each table and index, and takes five times as
long.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
from attrs import define, field, frozen

from tests.servers.databases import Databases

#: A schema of our own in the database, with a copy of every row that the migration wrote.
KEPT: Final = "as_migrated"
KEEP: Final = f"""
    do $$
    declare name text;
    begin
        create schema {KEPT};
        for name in select tablename from pg_tables where schemaname = 'public' loop
            execute format('create table {KEPT}.%1$I as table public.%1$I', name);
        end loop;
    end $$
"""
RESTORE: Final = f"""
    do $$
    declare name text;
    begin
        for name in select tablename from pg_tables where schemaname = '{KEPT}' loop
            execute format('delete from public.%I', name);
            execute format('insert into public.%1$I select * from {KEPT}.%1$I', name);
        end loop;
    end $$
"""
CUT_OFF: Final = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""
#: Tables and indexes, those of partitions too, and settings; a new table of the same name has another number.
SHAPE: Final = """
    select array_agg(oid::text || ':' || relnatts || ':' || relchecks order by oid)
        || (select array_agg(setconfig::text order by setrole) from pg_db_role_setting
            where setdatabase = (select oid from pg_database where datname = current_database()))
    from pg_class where relnamespace = 'public'::regnamespace
"""


@frozen
class CleanSlate:
    """A migrated database that one test after another may fill."""

    url: str

    async def keep(self) -> None:
        """Remember the rows as they are now."""
        await self._execute(KEEP)

    async def restore(self) -> None:
        """Cut off who is still connected, and let exactly those rows stand again."""
        await self._execute(CUT_OFF, RESTORE)

    async def shape(self) -> list[str]:
        """Return what the tables are, to see whether they are still the same."""
        connection = await asyncpg.connect(self.url)
        try:
            found: list[str] = await connection.fetchval(SHAPE)
        finally:
            await connection.close()
        return found

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


@define
class CleanSlates:
    """Slates that tests borrow one after another, and as many at once as they need.

    One whose tables are not what they were is dropped instead of being given to the next test.

    Args:
        migrate: brings an empty database up to date, by its URL.
    """

    databases: Databases
    migrate: Callable[[str], Awaitable[object]]
    _free: list[tuple[CleanSlate, list[str]]] = field(factory=list)

    @asynccontextmanager
    async def borrowed(self) -> AsyncGenerator[str]:
        """Yield the URL of a migrated database that nobody else uses meanwhile."""
        slate, shape = self._free.pop() if self._free else await self._fresh()
        try:
            yield slate.url
        finally:
            if await slate.shape() == shape:
                await slate.restore()
                self._free.append((slate, shape))
            else:
                await self.databases.drop(slate.url)

    async def _fresh(self) -> tuple[CleanSlate, list[str]]:
        slate = CleanSlate(await self.databases.create())
        await self.migrate(slate.url)
        await slate.keep()
        return slate, await slate.shape()
