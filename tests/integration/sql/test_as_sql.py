"""A job as one statement, for cursors of any driver."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import psycopg
import pytest
import pytest_asyncio
from attrs import asdict

import jobmill
from jobmill import Client, JobState, Options
from jobmill.application.ports.enlisting import ParamStyle

from tests.integration.sql.shop import Charge, charge
from tests.servers.waiting import until

#: What may go wrong on its way through a driver.
AWKWARD: Final = "100 % of %s; :request ? $1 'quoted' \"twice\" \\ and \\u0000 ünïcödé 🏭"
EVERYTHING: Final = Options(
    queue="payments",
    run_at=datetime(2030, 1, 31, 8, tzinfo=UTC),
    ttl=timedelta(hours=1),
    max_attempts=7,
    timeout=timedelta(seconds=1.5),
    correlation_id="c",
    tenant="t",
    tags=["vip", "eu"],
    idempotency_key="order-7",
)


@pytest_asyncio.fixture
async def mill(url: str) -> AsyncGenerator[Client]:
    async with jobmill.connect(url) as client:
        yield client


@pytest.fixture
def style(url: str) -> ParamStyle:
    return "qmark" if url.startswith("sqlite") else "format"


@contextmanager
def cursor_on(url: str) -> Generator[Any]:
    """A cursor in a transaction that is committed at the end, unless the block fails."""
    connect: Any = psycopg.connect if url.startswith("postgres") else sqlite3.connect
    with closing(connect(url.removeprefix("sqlite:///"))) as connection, connection:
        yield connection.cursor()


def executed(url: str, statement: tuple[str, Any]) -> tuple[str, bool, bool]:
    with cursor_on(url) as cursor:
        cursor.execute(*statement)
        [(job_id, is_new, conflicts)] = cursor.fetchall()
    return job_id, bool(is_new), bool(conflicts)


async def test_the_job_is_stored_as_submit_would_store_it(url: str, mill: Client, style: ParamStyle) -> None:
    statement = mill.as_sql(charge, Charge(7, AWKWARD), paramstyle=style, **EVERYTHING)

    job_id, is_new, conflicts = executed(url, statement)

    assert (is_new, conflicts) == (True, False)
    written = await mill.get(job_id)
    options: Any = EVERYTHING | {"idempotency_key": "another"}
    submitted = await mill.submit(charge, Charge(7, AWKWARD), **options)
    assert _without(written, "idempotency_key") == _without(submitted, "idempotency_key")
    assert (await mill.list(tag="eu"))[1].id == written.id


async def test_a_job_that_is_due_is_left_to_the_leader_to_publish(
    url: str, mill: Client, style: ParamStyle
) -> None:
    job_id, _, _ = executed(url, mill.as_sql(charge, Charge(7), paramstyle=style))

    with cursor_on(url) as cursor:
        cursor.execute("SELECT attended, target FROM outbox")
        [(attended, target)] = cursor.fetchall()
    assert (bool(attended), target) == (False, "queue")
    assert (await mill.get(job_id)).status is JobState.QUEUED


async def test_a_job_for_later_has_no_notice_yet(url: str, mill: Client, style: ParamStyle) -> None:
    executed(url, mill.as_sql(charge, Charge(7), paramstyle=style, delay=timedelta(hours=1)))

    with cursor_on(url) as cursor:
        cursor.execute("SELECT * FROM outbox")
        assert cursor.fetchall() == []


async def test_a_rollback_leaves_nothing(url: str, mill: Client, style: ParamStyle) -> None:
    statement = mill.as_sql(charge, Charge(7), paramstyle=style, idempotency_key="k", tags=["t"])
    with cursor_on(url) as cursor:
        cursor.execute(*statement)
        cursor.connection.rollback()

    with cursor_on(url) as cursor:
        for table in ("jobs", "outbox", "job_tags", "job_keys"):
            cursor.execute(f"SELECT * FROM {table}")
            assert cursor.fetchall() == []


async def test_a_taken_key_inserts_nothing_and_names_its_job(
    url: str, mill: Client, style: ParamStyle
) -> None:
    first = executed(url, mill.as_sql(charge, Charge(7), paramstyle=style, idempotency_key="k"))
    again = executed(url, mill.as_sql(charge, Charge(7), paramstyle=style, idempotency_key="k"))
    other = executed(url, mill.as_sql(charge, Charge(8), paramstyle=style, idempotency_key="k", tags=["t"]))

    assert again == (first[0], False, False)
    assert other == (first[0], False, True)
    assert len(await mill.list()) == 1


async def test_submit_and_the_statement_know_each_others_keys(
    url: str, mill: Client, style: ParamStyle
) -> None:
    submitted = await mill.submit(charge, Charge(7), idempotency_key="k")
    job_id, is_new, _ = executed(url, mill.as_sql(charge, Charge(7), paramstyle=style, idempotency_key="k"))

    assert ((await mill.get(job_id)).id, is_new) == (submitted.id, False)


async def test_a_unique_key_is_free_again_when_its_job_is_finished(
    url: str, mill: Client, style: ParamStyle
) -> None:
    first = await mill.submit(charge, Charge(7), unique="order-7")
    held = executed(url, mill.as_sql(charge, Charge(8), paramstyle=style, unique="order-7"))
    await mill.cancel(first)

    job_id, is_new, _ = executed(url, mill.as_sql(charge, Charge(8), paramstyle=style, unique="order-7"))

    assert held[1] is False
    assert is_new
    assert (await mill.get(job_id)).payload["order"] == 8


async def test_two_keys_at_once_are_refused(mill: Client) -> None:
    with pytest.raises(jobmill.InvalidInput, match="leave one of them out"):
        mill.as_sql(charge, Charge(7), unique="order-7", idempotency_key="k")


@pytest.mark.parametrize("ending", ["commit", "rollback"])
async def test_a_key_that_a_rival_has_not_committed_is_waited_for(migrated_url: str, ending: str) -> None:
    async with jobmill.connect(migrated_url) as mill:
        statement, (request,) = mill.as_sql(
            charge, Charge(7), idempotency_key="k", paramstyle="numeric_dollar"
        )
        _, (again,) = mill.as_sql(charge, Charge(7), idempotency_key="k", paramstyle="numeric_dollar")
        first, second = await asyncpg.connect(migrated_url), await asyncpg.connect(migrated_url)
        transaction = first.transaction()
        await transaction.start()
        taken = await first.fetchrow(statement, request)
        rival = asyncio.create_task(second.fetchrow(statement, again))
        await _waits_for_a_lock(first, second.get_server_pid())
        await getattr(transaction, ending)()
        answer = await rival
        assert answer is not None
        assert taken is not None
        await first.close()
        await second.close()

        assert answer["is_new"] is (ending == "rollback")
        assert (answer["id"] == taken["id"]) is (ending == "commit")
        assert len(await mill.list()) == 1


@pytest.mark.parametrize("style", ["format", "pyformat", "named", "numeric", "qmark", "numeric_dollar"])
async def test_the_place_of_the_parameter_is_the_only_mark_of_any_style(
    mill: Client, style: ParamStyle
) -> None:
    statement, params = mill.as_sql(charge, Charge(7, AWKWARD), paramstyle=style)

    marks = {"format": "%s", "pyformat": "%(request)s", "named": ":request", "numeric": ":1", "qmark": "?"}
    mark = marks.get(style, "$1")
    assert statement.count(mark) == 1
    assert not set("%:?") & set(statement.replace(mark, ""))
    assert isinstance(params, dict if style in {"pyformat", "named"} else tuple)


@pytest.mark.parametrize("style", ["qmark", "named", "numeric"])
async def test_sqlite_takes_each_of_its_styles(sqlite_url: str, style: ParamStyle) -> None:
    async with jobmill.connect(sqlite_url) as mill:
        job_id, is_new, _ = executed(sqlite_url, mill.as_sql(charge, Charge(7, AWKWARD), paramstyle=style))

        assert is_new
        assert (await mill.get(job_id)).payload["card"] == AWKWARD


async def test_psycopg_takes_each_of_its_styles_and_any_way_of_binding(migrated_url: str) -> None:
    async with jobmill.connect(migrated_url) as mill:
        with psycopg.connect(migrated_url) as connection:
            for cursor in (connection.cursor(), psycopg.ClientCursor(connection)):
                by_place: Any = mill.as_sql(charge, Charge(7, AWKWARD))
                by_name: Any = mill.as_sql(charge, Charge(7, AWKWARD), paramstyle="pyformat")
                cursor.execute(*by_place)
                cursor.execute(*by_name)
        found = await mill.list()

    assert [job.payload["card"] for job in found] == [AWKWARD] * 4


def _without(job: jobmill.Job, *names: str) -> dict[str, Any]:
    """All that two submissions of the same request have in common."""
    own = {"id", "created_at", "updated_at", *names}
    return {name: value for name, value in asdict(job).items() if name not in own}


async def _waits_for_a_lock(connection: "asyncpg.Connection[Any]", process: int) -> None:
    question = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"

    async def it_waits() -> bool:
        return bool(await connection.fetchval(question, process))

    assert await until(it_waits, within_s=10), "the rival does not wait"
