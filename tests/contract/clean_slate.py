"""Bringing a migrated PostgreSQL database back to how the migration left it.

A new database for every test would be cleaner still, and takes over a second where this takes a tenth. The
few rows of a test are deleted: truncating makes new files for each table and index, and takes five times as
long.
"""

import asyncpg
from attrs import frozen

#: A schema of our own in the database, with a copy of every row that the migration wrote.
KEPT = "as_migrated"
KEEP = f"""
    do $$
    declare name text;
    begin
        create schema {KEPT};
        for name in select tablename from pg_tables where schemaname = 'public' loop
            execute format('create table {KEPT}.%1$I as table public.%1$I', name);
        end loop;
    end $$
"""
RESTORE = f"""
    do $$
    declare name text;
    begin
        for name in select tablename from pg_tables where schemaname = '{KEPT}' loop
            execute format('delete from public.%I', name);
            execute format('insert into public.%1$I select * from {KEPT}.%1$I', name);
        end loop;
    end $$
"""


@frozen
class CleanSlate:
    """A migrated database that one test after another may fill."""

    url: str

    async def keep(self) -> None:
        """Remember the rows as they are now."""
        await self._execute(KEEP)

    async def restore(self) -> None:
        """Let exactly those rows stand again, whoever wrote or deleted what."""
        await self._execute(RESTORE)

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
