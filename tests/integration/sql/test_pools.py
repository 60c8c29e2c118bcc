"""How far the pools of connections are used."""

from jobmill.adapters.sql import SqlStore, open_sql_store


async def test_a_connection_of_postgresql_that_is_lent_is_in_use(postgres: SqlStore) -> None:
    await postgres.check()
    before = postgres.pools()

    async with postgres._database.reads.connect():
        during = postgres.pools()

    assert {name: pool.size for name, pool in before.items()} == {
        "general": 10,
        "hot": 6,
        "forgetting": 1,
        "handlers": 5,
    }
    assert before["general"].in_use == 0
    assert during["general"].in_use == 1
    assert during["hot"].in_use == 0


async def test_a_connection_of_sqlite_that_is_lent_is_in_use(sqlite_url: str) -> None:
    async with open_sql_store(sqlite_url) as store, store._database.writes.connect():
        during = store.pools()

    assert {name: (pool.size, pool.in_use) for name, pool in during.items()} == {
        "writer": (1, 1),
        "reader": (9, 0),
    }
