"""Opening deliveries: what is ours becomes jobs, what is not is kept with its reason."""

import asyncio

import pytest
from attrs import evolve

from jobmill.application.codec.parcels import NOTICES_MAX, encode_notice, join_notices
from jobmill.application.errors import StorageRefused, StorageUnavailable
from jobmill.application.setting_aside import KEPT_BYTES_MAX

from tests.builders import a_job
from tests.nodes import Node
from tests.received import Received, received
from tests.world import World


@pytest.fixture
async def node(world: World) -> Node:
    return world.node(starts=False)


async def opened(node: Node, delivery: Received) -> object:
    return await node.consumer._intake._receiver.open(delivery, source="default.normal")


async def test_a_parcel_becomes_its_jobs_in_their_order(node: Node) -> None:
    jobs = [a_job(version=version) for version in (3, 1, 2)]
    delivery = received(*jobs)

    assert await opened(node, delivery) == tuple(jobs)
    assert delivery.answers == []


async def test_of_several_notices_of_one_job_the_newest_counts(node: Node) -> None:
    job, other = a_job(version=2), a_job(version=1)

    assert await opened(node, received(evolve(job, version=1), other, job, evolve(job, version=1))) == (
        job,
        other,
    )


async def test_a_damaged_notice_is_quarantined_and_its_neighbours_are_ours(world: World, node: Node) -> None:
    job = a_job()
    body = join_notices([encode_notice(job), b'{"id":1}'])
    delivery = Received(body=body, headers={"a": "b"})

    assert await opened(node, delivery) == (job,)

    [message] = world.tables.quarantine.values()
    assert (message.body, message.source, message.headers) == (b'{"id":1}', "default.normal", {"a": "b"})
    assert message.reason
    assert delivery.answers == []


async def test_of_a_huge_foreign_message_the_beginning_is_kept(world: World, node: Node) -> None:
    await opened(node, Received(body=b"x" * 3_000_000))

    [message] = world.tables.quarantine.values()
    assert message.body == b"x" * KEPT_BYTES_MAX
    assert "of its 3,000,000 bytes the first 262,144 are kept" in message.reason


async def test_all_damaged_notices_of_a_parcel_are_stored_in_one_go(world: World, node: Node) -> None:
    statements: list[str] = []
    node.cable.trouble = statements.append

    await opened(node, Received(body=join_notices([b"0"] * NOTICES_MAX)))

    assert statements.count("before quarantine.keep") == 1
    assert len(world.tables.quarantine) == NOTICES_MAX


async def test_what_has_more_notices_than_any_parcel_is_one_foreign_message(world: World, node: Node) -> None:
    delivery = Received(body=join_notices([b"0"] * (NOTICES_MAX + 1)))

    assert await opened(node, delivery) is None

    [message] = world.tables.quarantine.values()
    assert "1,001 notices" in message.reason
    assert delivery.answers == ["ack"]


async def test_a_foreign_message_is_quarantined_as_it_came_and_acknowledged(world: World, node: Node) -> None:
    delivery = Received(body=b"\xff hello", content_type="text/plain", headers={"from": "afar"})

    assert await opened(node, delivery) is None

    [message] = world.tables.quarantine.values()
    assert (message.body, message.content_type, message.headers) == (
        b"\xff hello",
        "text/plain",
        {"from": "afar"},
    )
    assert message.received_at == world.clock.now()
    assert delivery.answers == ["ack"]


async def test_headers_that_no_database_takes_are_mended(world: World, node: Node) -> None:
    delivery = Received(body=b"x", content_type="a\0b", headers={"n\0": "\ud800"})

    assert await opened(node, delivery) is None

    [message] = world.tables.quarantine.values()
    assert (message.content_type, message.headers) == ("a?b", {"n?": "?"})


async def test_headers_that_are_refused_all_the_same_are_left_out(world: World, node: Node) -> None:
    refusals = [StorageRefused("too long")]

    def refuses_once(moment: str) -> None:
        if moment == "before quarantine.keep" and refusals:
            raise refusals.pop()

    node.cable.trouble = refuses_once
    delivery = Received(body=b"x", headers={"a": "b"})
    await opened(node, delivery)

    [message] = world.tables.quarantine.values()
    assert (message.headers, message.body) == ({}, b"x")
    assert delivery.answers == ["ack"]


async def test_a_parcel_of_a_later_release_goes_back_after_a_pause(world: World, node: Node) -> None:
    delivery = Received(body=b'{"schema":2,"jobs":[]}')

    assert await opened(node, delivery) is None

    assert delivery.answers == ["release"]
    assert asyncio.get_running_loop().time() == 2
    assert world.tables.quarantine == {}


@pytest.mark.parametrize("body", [b"foreign", join_notices([b'{"id":1}'])])
async def test_what_cannot_be_kept_now_goes_back_after_a_pause(world: World, node: Node, body: bytes) -> None:
    def away(_moment: str) -> None:
        raise StorageUnavailable("away")

    node.cable.trouble = away
    delivery = Received(body=body)

    assert await opened(node, delivery) is None
    assert delivery.answers == ["release"]
    assert asyncio.get_running_loop().time() == 2
