"""The hot path on PostgreSQL: one statement outside of any transaction block, so one round trip."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from jobmill.adapters.sql import SqlStore
from jobmill.application.ports.job_repository import NewJob

from tests.builders import HOUR, a_job, failed, started
from tests.contract.store_world import StoreWorld
from tests.integration.sql.hearing import heard


@pytest.fixture
def sent(postgres: SqlStore) -> Iterator[list[str]]:
    """The statements sent since; BEGIN and COMMIT are seen as such."""
    statements: list[str] = []
    with heard(postgres._database.units.sync_engine, statements.append):
        yield statements


async def test_the_hot_path_takes_one_statement_each(postgres: SqlStore, sent: list[str]) -> None:
    jobs = [a_job(now=postgres.clock.now(), tags=("a",)) for _ in range(3)]
    await postgres.jobs.add([[NewJob(job=job)] for job in jobs])
    assert len(sent) == 1
    claims = [started(job, now=postgres.clock.now()) for job in jobs]
    answers = await postgres.jobs.save(claims)
    assert len(sent) == 2
    await postgres.leases.renew([claim.job.fence for claim in claims], ttl=HOUR)
    assert len(sent) == 3
    await postgres.jobs.save([failed(claim.job, now=postgres.clock.now()) for claim in claims])
    assert len(sent) == 4
    await postgres.outbox.forget([job.stamp for job in jobs])
    assert len(sent) == 5
    await postgres.outbox.pending(limit=10, older_than=timedelta(0))

    assert len(sent) == 6
    assert len(answers) == 3


async def test_single_statements_open_no_transaction(postgres_world: StoreWorld) -> None:
    """Seen from the server: a transaction block would leave its start behind while the row is locked."""
    engine = postgres_world.store._database.writes  # type: ignore[attr-defined]

    assert engine.sync_engine.get_execution_options()["isolation_level"] == "AUTOCOMMIT"


async def test_a_batch_of_any_size_has_the_same_text(postgres: SqlStore, sent: list[str]) -> None:
    for size in (1, 7, 100):
        jobs = [a_job(now=postgres.clock.now()) for _ in range(size)]
        await postgres.jobs.add([[NewJob(job=job)] for job in jobs])
        await postgres.jobs.save([started(job, now=postgres.clock.now()) for job in jobs])

    assert len(set(sent)) == 2
