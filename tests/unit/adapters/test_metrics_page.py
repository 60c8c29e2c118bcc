"""The page that Prometheus reads: how the process and the mill are, and what is promised of it."""

import re
from pathlib import Path

import pytest
from attrs import evolve
from prometheus_client.parser import text_string_to_metric_families

from jobmill.application.errors import StorageUnavailable
from jobmill.application.ports.provider_states import ProviderRecord
from jobmill.application.step_watch import BLOCKED
from jobmill.domain.circuit_breaker import Breaker, BreakerState
from jobmill.domain.states import Fact, JobState

from tests.builders import MINUTE, NOW, a_job, a_job_that_is, a_running_job, succeeded
from tests.unit.adapters.metrics_world import MetricsWorld

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
ROW = re.compile(r"\| `(jobmill_\w+)` \| (\w+) \|([^|]*)\|", re.ASCII)
#: What the format adds to the labels of a histogram.
OF_THE_FORMAT = {"le"}


@pytest.fixture
def world() -> MetricsWorld:
    return MetricsWorld()


async def test_jobs_are_told_by_queue_and_state_also_where_there_are_none(world: MetricsWorld) -> None:
    await world.has(a_job(queue="mail"), a_job(queue="mail"), a_job_that_is(JobState.FAILED, queue="calls"))

    jobs = await world.values("jobmill_jobs")

    assert jobs["mail", "queued"] == 2
    assert jobs["calls", "failed"] == 1
    assert jobs["default", "queued"] == jobs["mail", "processing"] == 0
    assert ("mail", "succeeded") not in jobs


async def test_the_longest_wait_of_each_queue_is_told(world: MetricsWorld) -> None:
    now = world.clock.now()
    await world.has(a_job(queue="mail", announced_at=now - MINUTE), a_job(queue="mail", announced_at=now))

    assert await world.values("jobmill_oldest_waiting_seconds") == {("default",): 0, ("mail",): 60}


async def test_the_breaker_that_all_processes_share_is_told_before_ones_own(world: MetricsWorld) -> None:
    half_open = Breaker(state=BreakerState.HALF_OPEN, since=NOW)
    closed = Breaker(state=BreakerState.CLOSED, since=NOW)
    await world.store.providers.save(
        [
            ProviderRecord(provider="sms:twilio", breaker=half_open),
            ProviderRecord(provider="email:smtp", breaker=closed),
        ]
    )

    breakers = await world.values("jobmill_provider_breaker")

    assert {key for key, value in breakers.items() if value} == {
        ("sms:twilio", "half-open"),
        ("email:smtp", "closed"),
    }
    assert breakers["sms:twilio", "open"] == 0


async def test_a_store_that_is_away_costs_the_page_nothing_else(world: MetricsWorld) -> None:
    world.trouble = StorageUnavailable("away")
    world.jobs.submitted([a_job()])

    assert await world.values("jobmill_store_up") == {(): 0}
    names = {sample.name for sample in await world.samples()}
    assert names.isdisjoint({"jobmill_jobs", "jobmill_oldest_waiting_seconds"})
    assert {"jobmill_job_events_total", "jobmill_database_connections_in_use"} <= names
    breakers = await world.values("jobmill_provider_breaker")
    assert breakers["sms:twilio", "open"] == 1  # as this process sees it


async def test_how_the_process_is_stands_there(world: MetricsWorld) -> None:
    told = {sample.name: sample.value for sample in await world.samples()}

    assert told["jobmill_store_up"] == told["jobmill_broker_up"] == told["jobmill_build_info"] == 1
    assert (told["jobmill_worker_slots"], told["jobmill_worker_slots_in_use"]) == (100, 7)
    assert told["jobmill_database_connections_max"] == 10
    assert told["jobmill_database_connections_in_use"] == 3
    assert told["jobmill_provider_pause_seconds"] == 2.5
    assert (told["jobmill_provider_calls_max"], told["jobmill_provider_calls"]) == (900, 4)
    assert told["process_open_fds"] > 0


async def test_a_process_that_runs_no_jobs_has_no_slots(world: MetricsWorld) -> None:
    world.process = evolve(world.process, slots=None, is_broker_up=False)

    told = {sample.name: sample.value for sample in await world.samples()}

    assert "jobmill_worker_slots" not in told
    assert told["jobmill_broker_up"] == 0


async def test_the_documentation_names_every_metric_with_its_type_and_labels(world: MetricsWorld) -> None:
    world.jobs.submitted([a_job()])
    world.jobs.moved([succeeded(a_running_job())])
    world.jobs.noted(BLOCKED, type="email", seconds=1.5)
    world.requests.measure("GET", "/jobs", "200", 0.1)
    text = (await world.page.text()).decode()

    exposed = set()
    for family in text_string_to_metric_families(text):
        if family.name.startswith("jobmill_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = frozenset(label for each in family.samples for label in each.labels) - OF_THE_FORMAT
            exposed.add((name, family.type, labels))

    rows = ROW.findall(PAGE.read_text())
    assert {(name, kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows} == exposed
    assert len(rows) == len(exposed)


def test_the_documentation_names_every_event_of_a_job() -> None:
    [row] = [line for line in PAGE.read_text().splitlines() if "jobmill_job_events_total` |" in line]

    assert {fact.value for fact in Fact} <= set(re.findall(r"`([^`]+)`", row))
