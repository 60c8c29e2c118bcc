"""Databases that cannot be used: who has to mend what, and that a secret is never shown."""

import asyncpg
import pytest

from jobmill.adapters.sql import migrate, open_sql_store
from jobmill.application.errors import SetupFault, StorageRefused, StorageUnavailable
from jobmill.application.ports.job_repository import NewJob

from tests.builders import a_job
from tests.servers.ports import free_ports


async def test_a_server_that_is_not_there_is_unavailable_but_the_store_opens() -> None:
    [port] = free_ports(1)
    async with open_sql_store(f"postgresql://ada:secret@127.0.0.1:{port}/shop") as store:
        with pytest.raises(StorageUnavailable, match=f"127.0.0.1:{port}") as refused:
            await store.check()
        with pytest.raises(StorageUnavailable):
            await store.jobs.add([[NewJob(job=a_job(now=store.clock.now()))]])

    assert "secret" not in str(refused.value)


async def test_migrating_a_server_that_is_not_there_is_unavailable() -> None:
    [port] = free_ports(1)

    with pytest.raises(StorageUnavailable):
        await migrate(f"postgresql://127.0.0.1:{port}/shop")


async def test_a_missing_database_is_a_setup_fault(postgres_url: str) -> None:
    async with open_sql_store(f"{postgres_url}_gone") as store:
        with pytest.raises(SetupFault, match="does not exist"):
            await store.check()


async def test_a_missing_role_is_a_setup_fault_that_shows_no_password(postgres_url: str) -> None:
    url = postgres_url.replace("postgres@", "nobody_we_know:secret@")
    async with open_sql_store(url) as store:
        with pytest.raises(SetupFault, match="nobody_we_know") as refused:
            await store.check()

    assert "secret" not in str(refused.value)


async def test_a_role_without_the_right_is_a_setup_fault(migrated_url: str) -> None:
    owner = await asyncpg.connect(migrated_url)
    role = migrated_url.rpartition("/")[2]
    await owner.execute(f'CREATE ROLE "{role}" LOGIN')
    try:
        async with open_sql_store(migrated_url.replace("postgres@", f"{role}@")) as store:
            with pytest.raises(SetupFault, match="permission denied"):
                await store.finder.counts()
    finally:
        await owner.execute(f'DROP ROLE "{role}"')
        await owner.close()


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
async def test_a_text_that_the_database_cannot_hold_is_not_shown(url: str, text: str) -> None:
    async with open_sql_store(url) as store:
        job = a_job(now=store.clock.now(), payload="secret" + text)
        with pytest.raises(StorageRefused) as refused:
            await store.jobs.add([[NewJob(job=job)]])

    assert "secret" not in str(refused.value)
