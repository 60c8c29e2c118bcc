"""Whose notices they are: those of a store without a bus are the leader's."""

from datetime import timedelta

import jobmill
from jobmill.adapters.sql import open_sql_store

from tests.builders import HOUR
from tests.contract.store_world import StoreWorld
from tests.integration.sql.shop import Charge, charge

NOW = timedelta(0)
PAGE = 10


async def test_of_a_writer_without_a_bus_the_leader_sees_every_notice_at_once(url: str) -> None:
    async with open_sql_store(url, attended=False) as store, open_sql_store(url) as leader:
        world = StoreWorld(store=store)
        new = await world.queued()
        dead = await world.dead()

        pending = await leader.outbox.pending(limit=PAGE, older_than=NOW, unattended=True)

        assert {new.id, dead.id} == {notice.job.id for notice in pending}
        await leader.outbox.forget([notice.row for notice in pending])
        assert await leader.outbox.pending(limit=PAGE, older_than=NOW) == []


async def test_what_its_writer_publishes_is_none_of_the_leaders_business(url: str) -> None:
    async with open_sql_store(url) as store:
        world = StoreWorld(store=store)
        await world.queued()
        await world.dead()

        assert await store.outbox.pending(limit=PAGE, older_than=NOW, unattended=True) == []
        assert len(await store.outbox.pending(limit=PAGE, older_than=NOW)) == 2


async def test_a_clients_jobs_are_left_to_the_leader(url: str) -> None:
    async with jobmill.connect(url) as mill, open_sql_store(url) as leader:
        new = await mill.submit(charge, Charge(7))
        moved = await mill.submit(charge, Charge(8), delay=HOUR)
        await mill.cancel(moved)
        await mill.requeue(moved)

        pending = await leader.outbox.pending(limit=PAGE, older_than=NOW, unattended=True)

        assert {notice.job.id for notice in pending} == {new.id, moved.id}
