"""RabbitMQ's copies of dead letters follow the list in PostgreSQL."""

from pathlib import Path
from uuid import UUID

from jobmill.application.commands import SubmitJob
from jobmill.application.dead_copies import DeadCopySweep
from jobmill.domain.states import JobState
from jobmill.entrypoints.container import Container

from tests.integration.whole import engine_of, open_whole
from tests.nodes import Notes
from tests.servers.amqp_place import AmqpPlace
from tests.servers.waiting import until


async def test_a_requeued_or_discarded_dead_letter_leaves_no_copy(
    amqp: AmqpPlace, migrated_url: str, tmp_path: Path
) -> None:
    async with open_whole(amqp, migrated_url, tmp_path) as container:
        async with engine_of(container, works=True).running():
            ids = [await _dead(container) for _ in range(5)]
        assert await until(lambda: _copies(container, 5), within_s=20)
        await container.operator().requeue(ids[1])
        await container.operator().discard(ids[3])

        await _sweep(container).step()

        assert await until(lambda: _copies(container, 3), within_s=20)
        counts = await container.store().finder.counts()
        assert counts["simulate", JobState.FAILED] == 3


def _sweep(container: Container) -> DeadCopySweep:
    store = container.store()
    return DeadCopySweep(
        copies=container.bus(),
        jobs=store.jobs,
        finder=store.finder,
        queues=container.registry().queues,
        observer=Notes(),
    )


async def _dead(container: Container) -> UUID:
    command = SubmitJob(type="simulate", payload={"failure": "permanent", "fail_first": 1})
    [accepted] = await container.submitter().submit([command])
    job_id: UUID = accepted.job.id

    async def is_dead() -> bool:
        [row] = await container.store().jobs.get([job_id])
        return row is not None and row.state is JobState.FAILED

    assert await until(is_dead, within_s=20)
    return job_id


async def _copies(container: Container, count: int) -> bool:
    return bool(await container.bus().count_copies(["simulate"]) == {"simulate": count})
