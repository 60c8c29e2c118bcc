"""While all providers of a type are shut no job of it is claimed; it begins again by itself (rule 34)."""

import asyncio
from datetime import timedelta

import pytest

from jobmill.application.hold_times import SHUT_HOLD_S
from jobmill.application.ports.providers import ProviderUnavailable
from jobmill.application.provider_limits import OnOpen
from jobmill.application.shipped.provider_chain import OnDoubt
from jobmill.domain.states import JobState

from tests.unit.application.outage import DOWN, Network, Outage
from tests.world import World

HOUR_S = 3_600.0
_SECOND = timedelta(seconds=1)


@pytest.fixture
async def outage(world: World) -> Outage:
    """One network."""
    return Outage(world=world, networks={"sms:a": Network()})


def a_loop_s() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.timeout(180)
async def test_an_outage_of_three_hours_costs_no_attempt_and_ends_by_itself(outage: Outage) -> None:
    world, network = outage.world, outage.networks["sms:a"]
    outage.starts(is_present=False, leads=False)
    await outage.opens()
    before = await outage.texts(2)
    found, claims = len(network.called_at_s), outage.claims

    await world.passes(3 * HOUR_S)

    rows = outage.rows([*before, *await outage.texts(1)])
    assert {row.state for row in rows} <= {JobState.QUEUED, JobState.RETRYING}
    probes = len(network.called_at_s) - found
    assert 3 * HOUR_S / 65 < probes <= 3 * HOUR_S / 60 + 1
    assert outage.claims - claims <= probes + 1, "no claim but for a probe"
    back_s = outage.recovers()
    await world.until(lambda: world.states() == [JobState.SUCCEEDED] * len(world.states()), within_s=120)
    assert min(network.taken_at_s.values()) < back_s + 65
    assert [row.attempt for row in outage.rows(before)] == [1, 1]
    assert max(row.attempt for row in world.tables.jobs.values()) == 2, "the first found it out"


async def test_all_begin_within_a_moment_of_the_probes_success(outage: Outage) -> None:
    world, network = outage.world, outage.networks["sms:a"]
    for _ in range(2):
        outage.starts(concurrency=5)
    await outage.opens()
    jobs = await outage.texts(8)
    await world.passes(300)

    outage.recovers()
    await world.until(lambda: network.taken_at_s, within_s=70)
    closed_s = a_loop_s()
    await world.until(lambda: len(network.taken_at_s) >= 2)
    await world.passes(2)

    begun = [at_s for at_s in network.called_at_s if at_s > closed_s]
    assert len(begun) >= len(jobs)
    assert network.calling_most > 1


async def test_one_job_at_a_time_tries_whether_a_provider_is_back(outage: Outage) -> None:
    world, network = outage.world, outage.networks["sms:a"]
    for _ in range(2):
        outage.starts()
    await outage.opens()
    await outage.texts(20)
    network.calling_most, found = 0, len(network.called_at_s)
    claims = outage.claims

    await world.passes(605)

    probes = len(network.called_at_s) - found
    assert probes == 10
    assert network.calling_most == 1
    assert outage.claims - claims <= 2 * probes, "each worker may send one ahead"


async def test_others_of_the_worker_flow_also_in_the_lanes_of_what_waits(outage: Outage) -> None:
    world = outage.world
    outage.starts(concurrency=3)
    await outage.opens()
    await outage.texts(30)
    await outage.texts(30, queue="default")
    began_s = a_loop_s()

    await world.submit(type="other", payload={"number": "here"})
    await world.submit(type="other", payload={"number": "there"}, queue="sms")
    await world.until(lambda: len(outage.others_at_s) == 2, within_s=300)

    assert outage.others_at_s["here"] - began_s < 30
    assert {row.state for row in world.tables.jobs.values() if row.type == "sms"} <= {
        JobState.QUEUED,
        JobState.RETRYING,
    }


@pytest.mark.parametrize("queue", ["sms", "default"])
async def test_a_worker_that_was_full_takes_others_again_though_what_waits_is_still_here(
    outage: Outage, queue: str
) -> None:
    world = outage.world
    outage.starts(concurrency=1)
    await outage.opens()
    await outage.texts(2, queue=queue)
    late_s: list[float] = []

    for at in range(5):
        await world.submit(type="other", payload={"number": f"long {at}", "s": 3})
        await world.passes(0.1)
        await world.submit(type="other", payload={"number": f"next {at}"})
        await world.until(lambda: len(outage.others_at_s) == 2 * len(late_s) + 2)
        late_s.append(outage.others_at_s[f"next {at}"] - outage.others_at_s[f"long {at}"] - 3)

    assert max(late_s) < 1.5


async def test_waiting_costs_a_bounded_number_of_statements_however_many_wait(outage: Outage) -> None:
    world = outage.world
    outage.starts()
    await outage.opens()
    payload = {"recipient": "+15550100123", "body": "hello"}
    for _ in range(10):
        await world.submit(count=50, type="sms", payload=payload)
    await world.passes(60)
    before = outage.count("before barriers.went_back")

    await world.passes(200)

    parcels_held = 2
    assert 0 < outage.count("before barriers.went_back") - before <= parcels_held * 200 / SHUT_HOLD_S + 1


async def test_a_second_provider_is_used_while_the_first_is_shut(world: World) -> None:
    first, second = Network(trouble=DOWN), Network()
    outage = Outage(
        world=world, networks={"sms:a": first, "sms:b": second}, on_open={"sms:a": OnOpen.FAILOVER}
    )
    outage.starts()
    jobs = await outage.texts(30)
    await world.passes(60)
    jobs += await outage.texts(30)
    await world.passes(10)

    assert {(row.state, row.attempt) for row in outage.rows(jobs)} == {(JobState.SUCCEEDED, 1)}
    assert len(second.taken_at_s) == 60
    assert len(first.called_at_s) < 30, "it was left alone"


async def test_jobs_wait_once_the_second_provider_is_shut_too(world: World) -> None:
    networks = {"sms:a": Network(), "sms:b": Network()}
    outage = Outage(world=world, networks=networks, on_open={"sms:a": OnOpen.FAILOVER})
    outage.starts()
    await outage.opens(count=40)
    jobs = await outage.texts(10)
    claims = outage.claims

    await world.passes(15)
    assert outage.claims == claims
    networks["sms:b"].trouble = None
    await world.passes(60)

    assert {(row.state, row.attempt) for row in outage.rows(jobs)} == {(JobState.SUCCEEDED, 1)}


async def test_a_pause_that_the_provider_asks_for_is_waited_for_unclaimed(outage: Outage) -> None:
    world, network = outage.world, outage.networks["sms:a"]
    outage.starts()
    minute = asyncio.get_running_loop().time() + 60
    network.trouble = ProviderUnavailable("answered 429", is_busy=True, retry_after=60 * _SECOND)
    await outage.texts(1)
    await world.passes(1)
    network.trouble = None
    claims = outage.claims
    jobs = await outage.texts(10)

    await world.passes(50)
    assert outage.claims == claims
    await world.passes(15)

    assert {(row.state, row.attempt) for row in outage.rows(jobs)} == {(JobState.SUCCEEDED, 1)}
    assert min(network.taken_at_s.values()) >= minute


async def test_a_worker_that_comes_later_learns_of_it_before_it_claims(outage: Outage) -> None:
    world = outage.world
    first = outage.starts()
    await outage.opens()
    await first.stop()
    claims = outage.claims

    outage.starts()
    jobs = await outage.texts(10)
    await world.passes(15)

    assert outage.claims == claims
    assert {row.attempt for row in outage.rows(jobs)} == {0}


async def test_a_worker_that_ends_leaves_what_waits_to_the_others(outage: Outage) -> None:
    world = outage.world
    first = outage.starts()
    await outage.opens()
    jobs = await outage.texts(10)
    await world.passes(15)

    await first.stop()
    outage.starts()
    outage.recovers()
    await world.passes(120)

    assert {(row.state, row.attempt) for row in outage.rows(jobs)} == {(JobState.SUCCEEDED, 1)}


async def test_a_probe_that_may_have_arrived_is_counted_unless_a_copy_is_harmless(world: World) -> None:
    lost = ProviderUnavailable("the answer was lost", in_doubt=True)
    for on_doubt, attempts in ((OnDoubt.RETRY, {0, 1}), (OnDoubt.FAILOVER, {0})):
        network = Network()
        outage = Outage(world=world, networks={f"sms:{on_doubt.value}": network}, on_doubt=on_doubt)
        node = outage.starts()
        await outage.opens()
        network.trouble = lost
        jobs = await outage.texts(1)
        for row in outage.rows(jobs):
            assert row.attempt == 0
        others = [row for row in world.tables.jobs.values() if row.id not in {job.id for job in jobs}]
        for row in others:  # nobody else makes the probe
            del world.tables.jobs[row.id]

        await world.passes(60)

        assert {row.attempt for row in outage.rows(jobs)} <= attempts
        assert world.job(jobs[0]).attempt == max(attempts)
        assert world.job(jobs[0]).error == f"sms:{on_doubt.value}: the answer was lost"
        await node.stop()
