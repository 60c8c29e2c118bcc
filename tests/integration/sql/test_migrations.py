"""``migrate``: every database ends with the tables that the code knows, whoever else migrates it."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from jobmill.adapters.sql import migrate, migrations, open_sql_store
from jobmill.adapters.sql.address import Address
from jobmill.adapters.sql.process_tables import metadata
from jobmill.adapters.sql.schema import REVISION, REVISION_TABLE, jobs
from jobmill.application.errors import SetupFault
from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.builders import DAY, a_job, a_job_that_is, a_stamp, an_id_made
from tests.contract.store_world import StoreWorld
from tests.integration.sql.days_by_hand import place_of


async def test_an_empty_database_gets_everything_and_a_second_time_nothing(empty_url: str) -> None:
    assert await migrate(empty_url) == (0, REVISION)
    assert await migrate(empty_url) == (REVISION, REVISION)


async def test_the_migrations_make_the_tables_that_the_code_knows(empty_url: str) -> None:
    await migrate(empty_url)

    assert await differences(empty_url) == []


async def test_a_database_of_an_earlier_release_is_brought_up_to_date_with_its_jobs(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr("jobmill.adapters.sql.migrating.REVISION", 1)
        assert await migrate(empty_url) == (0, 1)
    job = a_job()
    await write_as_an_earlier_release(empty_url, job, lacking=("payload_version", *LATER))

    assert await migrate(empty_url) == (1, REVISION)

    assert await differences(empty_url) == []
    async with open_sql_store(empty_url) as store:
        await store.check()
        assert await store.jobs.get([job.id]) == [job]


#: Columns that came after the partitions.
LATER = ("origin", "follows", "chain_depth", "batch", "batch_size", "inherited", "watched")


async def write_as_an_earlier_release(url: str, job: Job, *, lacking: tuple[str, ...]) -> None:
    """A row without the columns that came later."""
    names = [column.name for column in jobs.columns if column.name not in lacking]
    values = {name: getattr(job, name) for name in names}
    engine = create_async_engine(Address.parse(url).opened(create=False))
    async with engine.begin() as connection:
        await connection.execute(jobs.insert().values(values))
    await engine.dispose()


async def test_several_migrators_at_once_take_turns(empty_url: str) -> None:
    went = await asyncio.gather(*(migrate(empty_url) for _ in range(4)))

    assert sorted(went) == [(0, REVISION)] + [(REVISION, REVISION)] * 3


@pytest.mark.parametrize("number", range(20))
async def test_several_may_make_the_same_new_file(tmp_path: Path, number: int) -> None:
    """SQLite refuses one of two that switch a new file to WAL at once, in about one of ten such rounds."""
    url = f"sqlite:///{tmp_path}/new-{number}.db"

    went = await asyncio.gather(*(migrate(url) for _ in range(6)))

    assert sorted(went) == [(0, REVISION)] + [(REVISION, REVISION)] * 5


def test_the_revision_of_the_code_is_the_newest_file() -> None:
    [folder] = migrations.__path__
    numbers = [int(file.name[1:5]) for file in (Path(folder) / "versions").glob("r[0-9]*.py")]

    assert sorted(numbers) == list(range(1, REVISION + 1))


async def test_a_database_without_tables_is_refused_with_the_mend(postgres_url: str) -> None:
    async with open_sql_store(postgres_url) as store:
        with pytest.raises(SetupFault, match="jobmill migrate"):
            await store.check()
        with pytest.raises(SetupFault, match="jobmill migrate"):
            await store.finder.counts()


@pytest.fixture
def untouched_folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder that has to be empty in the end."""
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


async def test_a_sqlite_file_that_is_not_there_is_refused_and_not_made(untouched_folder: Path) -> None:
    file = untouched_folder / "none.db"
    async with open_sql_store(f"sqlite:///{file}") as store:
        with pytest.raises(SetupFault, match="jobmill migrate"):
            await store.check()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database at all, but a longer text" * 100)
    async with open_sql_store(f"sqlite:///{tmp_path / 'a.db'}") as store:
        with pytest.raises(SetupFault):
            await store.check()


async def test_an_older_database_is_refused_with_the_mend(url: str) -> None:
    await set_revision(url, "0000")
    async with open_sql_store(url) as store:
        with pytest.raises(SetupFault, match=re.escape("is at revision 0000") + ".*jobmill migrate"):
            await store.check()


async def test_a_newer_database_is_neither_used_nor_migrated(url: str) -> None:
    await set_revision(url, "9999")

    async with open_sql_store(url) as store:
        with pytest.raises(SetupFault, match="install the newer Jobmill"):
            await store.check()
    with pytest.raises(SetupFault, match="install the newer Jobmill"):
        await migrate(url)


async def test_a_used_table_becomes_the_first_partition_with_all_its_rows(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr("jobmill.adapters.sql.migrating.REVISION", 3)
        await migrate(postgres_url)
    hand = await asyncpg.connect(postgres_url)
    role = f"clerk_{a_stamp() & 0xFFFFFF:x}"
    await hand.execute(f"CREATE ROLE {role}")
    try:
        await hand.execute(f"GRANT SELECT, INSERT ON jobs TO {role}")
        async with open_sql_store(postgres_url) as store:
            world = StoreWorld(store=store)
            now, later = a_job(now=world.now), world.now + 400 * DAY
            ahead = a_job_that_is(JobState.QUEUED, now=world.now, id=an_id_made(later))
            for job in (now, ahead):
                await write_as_an_earlier_release(postgres_url, job, lacking=LATER)
            file = await hand.fetchval("SELECT pg_relation_filenode('jobs')")

            await migrate(postgres_url)

            assert await store.jobs.get([now.id, ahead.id]) == [now, ahead]
        assert [await place_of(hand, job) for job in (now, ahead)] == ["jobs_old", "jobs_later"]
        assert await hand.fetchval("SELECT pg_relation_filenode('jobs_old')") == file
        assert await hand.fetchval("SELECT has_table_privilege($1, 'jobs', 'INSERT')", role)
        assert not await hand.fetchval("SELECT has_table_privilege($1, 'jobs', 'DELETE')", role)
    finally:
        await hand.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
        await hand.close()


async def differences(url: str) -> list[object]:
    def compared(connection: Connection) -> list[object]:
        parts = partitions(connection)
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": REVISION_TABLE,
                "compare_type": True,
                "include_name": lambda name, kind, _parents: kind != "table" or name not in parts,
            },
        )
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(Address.parse(url).opened(create=False))
    async with engine.connect() as connection:
        found = await connection.run_sync(compared)
    await engine.dispose()
    return found


def partitions(connection: Connection) -> set[str]:
    """The names of the partitions of jobs, which is one table to the code."""
    if connection.dialect.name != "postgresql":
        return set()
    found = text("SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE relkind = 'r'")
    return set(connection.execute(found).scalars())


async def set_revision(url: str, revision: str) -> None:
    engine = create_async_engine(Address.parse(url).opened(create=False))
    async with engine.begin() as connection:
        await connection.execute(text(f"UPDATE {REVISION_TABLE} SET version_num = '{revision}'"))
    await engine.dispose()
