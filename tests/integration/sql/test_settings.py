"""What each connection is told at its start."""

from sqlalchemy import text

from jobmill.adapters.sql import open_sql_store


async def test_sqlite_connections_keep_what_was_committed_through_a_loss_of_power(sqlite_url: str) -> None:
    async with open_sql_store(sqlite_url, lock_timeout_s=1.5) as store:
        for engine in (store._database.reads, store._database.writes, store._database.units):
            async with engine.connect() as connection:
                found = [
                    (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
                    for name in ("journal_mode", "synchronous", "busy_timeout")
                ]
            assert found == ["wal", 2, 1500]


async def test_postgresql_itself_bounds_every_statement_lock_and_idle_transaction(migrated_url: str) -> None:
    names = (
        "application_name",
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "timezone",
    )
    async with (
        open_sql_store(migrated_url, statement_timeout_s=12, lock_timeout_s=1.5) as store,
        store._database.reads.connect() as connection,
        store._database.handlers.connect() as of_a_handler,
    ):
        ours, handlers = [
            [(await each.execute(text(f"SHOW {name}"))).scalar_one() for name in names]
            for each in (connection, of_a_handler)
        ]

    assert ours == ["jobmill", "12s", "1500ms", "5s", "UTC"]
    assert handlers == ["jobmill", "12s", "1500ms", "1min", "UTC"]


async def test_a_store_uses_no_more_connections_than_it_may(migrated_url: str) -> None:
    async with open_sql_store(migrated_url, pool_size=3) as store:
        pool = store._database.units.sync_engine.pool

        assert store._database.reads.sync_engine.pool is pool
        assert pool.size() == 3  # type: ignore[attr-defined]
        assert pool._max_overflow == 0  # type: ignore[attr-defined]
