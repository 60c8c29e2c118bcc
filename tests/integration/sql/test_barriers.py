"""What only a database with many rows shows of barriers."""

from sqlalchemy import update

from jobmill.adapters.sql import SqlStore
from jobmill.adapters.sql.schema import outbox
from jobmill.application.ports.message_bus import Lane
from jobmill.domain.states import JobState, Priority

from tests.builders import HOUR, MINUTE, SECOND, a_job_that_is
from tests.contract.store_world import StoreWorld

LANE = Lane(queue="email", priority=Priority.NORMAL)
#: More than the oldest rows that are looked at.
MANY = 1_001


async def test_a_queue_whose_rows_are_not_among_the_oldest_is_judged_with_care(
    store: SqlStore, world: StoreWorld
) -> None:
    """Its own rows may be any that are younger than those."""
    await world.queued(queue=LANE.queue, announced_at=world.now - HOUR)
    await world.forgets_all_notices()
    await world.add(*[a_job_that_is(JobState.QUEUED, now=world.now, queue="busy") for _ in range(MANY)])
    await store._database.write(update(outbox).values(created_at=world.now - MINUTE))

    [(lane, before)] = await store.barriers.wanted([LANE], margin=SECOND)

    assert lane == LANE
    assert before <= world.now - MINUTE
