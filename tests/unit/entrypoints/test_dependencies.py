"""What a worker waits for before it works, and what it makes by itself."""

from collections.abc import Sequence

import pytest
from attrs import define

from jobmill.adapters.memory import MemoryStore
from jobmill.adapters.system import SystemClock
from jobmill.application.errors import SetupFault
from jobmill.application.ports.topology import PlanItem, Topology
from jobmill.entrypoints.dependencies import until_ready


@define
class Queues(Topology):
    """They stand or they do not."""

    stand: bool = False

    async def plan(self) -> Sequence[PlanItem]:
        return []

    async def apply(self) -> Sequence[PlanItem]:
        self.stand = True
        return []

    async def missing(self) -> Sequence[str]:
        return [] if self.stand else ["jobmill.default.normal"]

    async def verify(self) -> None:
        if not self.stand:
            raise SetupFault("RabbitMQ lacks its queues; mend: jobmill topology apply")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(clock=SystemClock())


async def test_a_broker_that_was_never_used_with_this_database_is_left_to_a_person(
    store: MemoryStore,
) -> None:
    queues = Queues()

    with pytest.raises(SetupFault, match="topology apply"):
        await until_ready(store, queues)

    assert not queues.stand


async def test_a_broker_that_lost_its_queues_gets_them_again(store: MemoryStore) -> None:
    await store.epochs.begin("the first life")
    queues = Queues()

    await until_ready(store, queues)

    assert queues.stand
