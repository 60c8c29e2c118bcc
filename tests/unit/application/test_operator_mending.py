"""Making jobs of messages that nobody understood: once each."""

from datetime import UTC, datetime

import pytest

from jobmill.application.commands import SubmitJob
from jobmill.application.errors import (
    JobNotFound,
    StorageUnavailable,
)
from jobmill.application.operator import Operator
from jobmill.application.ports.quarantine import ForeignMessage
from jobmill.domain.errors import InvalidInput
from jobmill.domain.options import JobOptions

from tests.builders import an_id
from tests.nodes import Node
from tests.world import World


@pytest.fixture
async def node(world: World) -> Node:
    return world.node(starts=False)


@pytest.fixture
async def operator(node: Node) -> Operator:
    operator: Operator = node.operator
    return operator


async def quarantined(node: Node) -> ForeignMessage:
    message = ForeignMessage(
        id=an_id(),
        received_at=datetime(2030, 1, 1, tzinfo=UTC),
        source="default.normal",
        reason="not a parcel",
        content_type=None,
        headers={},
        body=b"?",
    )
    await node.store.quarantine.keep([message])
    return message


async def test_a_mended_message_becomes_a_job_and_is_gone(
    world: World, node: Node, operator: Operator
) -> None:
    message = await quarantined(node)

    accepted = await operator.mend(message.id, SubmitJob(type="work", payload={"a": 1}))

    assert world.job(accepted.job).payload == '{"a":1}'
    assert world.tables.quarantine == {}


async def test_mending_twice_makes_one_job(world: World, node: Node, operator: Operator) -> None:
    message = await quarantined(node)
    drops = [StorageUnavailable("away")]

    def drop_fails_once(moment: str) -> None:
        if moment == "before quarantine.drop" and drops:
            raise drops.pop()

    node.cable.trouble = drop_fails_once
    command = SubmitJob(type="work", payload={"a": 1})
    with pytest.raises(StorageUnavailable):
        await operator.mend(message.id, command)

    accepted = await operator.mend(message.id, command)

    assert accepted.replayed
    assert len(world.tables.jobs) == 1
    assert world.tables.quarantine == {}


@pytest.mark.parametrize(
    "command",
    [
        SubmitJob(type="nothing", payload={}),
        SubmitJob(type="work", payload={}, options=JobOptions(idempotency_key="k")),
    ],
)
async def test_a_refused_mend_leaves_the_message(
    world: World, node: Node, operator: Operator, command: SubmitJob
) -> None:
    message = await quarantined(node)

    with pytest.raises(InvalidInput):
        await operator.mend(message.id, command)

    assert message.id in world.tables.quarantine
    assert world.tables.jobs == {}


async def test_a_message_can_be_thrown_away_once(node: Node, operator: Operator) -> None:
    message = await quarantined(node)

    await operator.drop(message.id)

    with pytest.raises(JobNotFound):
        await operator.drop(message.id)
    with pytest.raises(JobNotFound):
        await operator.mend(message.id, SubmitJob(type="work", payload={}))
