"""The container builds all there is; the type checker would not see a wrong keyword in it."""

import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from dependency_injector import providers

from jobmill.application.ports.message_bus import Lane
from jobmill.domain.states import Priority
from jobmill.entrypoints.container import (
    Container,
    metrics_of,
    migrate_store,
    open_container,
    open_registry,
    topology_of,
)
from jobmill.entrypoints.settings import Settings

from tests.builders import a_job, started

AMQP = {"JOBMILL_BROKER_URL": "amqp://guest:guest@127.0.0.1:1/"}


@pytest_asyncio.fixture(params=[{}, AMQP], ids=["embedded", "rabbitmq, out of reach"])
async def container(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Container]:
    settings = Settings.from_env({"JOBMILL_HOME": str(tmp_path), **request.param})
    await migrate_store(settings)
    async with open_registry(settings) as registry, open_container(settings, registry) as opened:
        yield opened


async def test_every_provider_can_be_built(container: Container) -> None:
    built = {name: provider() for name, provider in container.providers.items()}

    assert len(built) > 15
    assert all(value is not None for name, value in built.items() if name != "topology")


async def test_services_share_one_commits_and_one_relay(container: Container) -> None:
    assert container.submitter().commits is container.commits()
    assert container.operator().commits is container.commits()
    assert container.runner().commits is container.commits()
    assert container.relay() is container.relay()


async def test_what_is_committed_goes_to_the_relay(container: Container) -> None:
    assert container.commits()._announce == container.relay().offer


async def test_what_is_committed_is_counted_for_metrics(container: Container) -> None:
    container.observer().moved([started(a_job())])

    text = (await metrics_of(container, works=True).page()).decode()
    assert 'jobmill_job_events_total{event="started",queue="default",type="email"} 1.0' in text
    assert "jobmill_store_up 1.0" in text
    assert f"jobmill_broker_up {float(container.bus().is_up)}" in text
    assert 'jobmill_database_connections_in_use{pool="reader"} 0.0' in text
    assert f"jobmill_worker_slots {container.concurrency()}.0" in text
    assert 'jobmill_jobs{queue="email",state="queued"} 0.0' in text


async def test_the_log_tells_what_types_name_of_their_payloads(
    container: Container, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="jobmill.facts")
    payload = '{"call_id":"c-7","phone_number":"+15550100123"}'

    container.observer().moved([started(a_job(type="call", payload=payload))])

    [record] = caplog.records
    assert "call_id=c-7" in record.getMessage()
    assert "+15550100123" not in repr(vars(record))


async def test_workers_serve_every_queue_in_every_priority(container: Container) -> None:
    lanes = {str(lane) for lane in container.lanes()}

    assert lanes == {
        f"{queue}.{priority}"
        for queue in ("default", "call", "email", "push", "simulate", "sms", "webhook")
        for priority in ("high", "normal", "low")
    }


async def test_all_who_send_receive_and_declare_know_the_fair_queues(tmp_path: Path) -> None:
    settings = Settings.from_env({"JOBMILL_HOME": str(tmp_path), "JOBMILL_FAIR_QUEUES": "sms:2", **AMQP})
    async with open_registry(settings) as registry, open_container(settings, registry) as opened:
        lanes = {str(lane) for lane in opened.lanes()}
        declared = {queue.name for queue in opened.topology()._desired.queues}
        known = [opened.relay()._fair, opened.consumer()._returner.fair]

    more = {f"sms.{priority}.1" for priority in ("high", "normal", "low")}
    assert more < lanes
    assert {f"jobmill.{lane}" for lane in lanes} < declared
    assert known == 2 * [settings.fair_queues]


async def test_the_bus_in_the_process_has_the_shares_too(tmp_path: Path) -> None:
    settings = Settings.from_env({"JOBMILL_HOME": str(tmp_path), "JOBMILL_FAIR_QUEUES": "sms:2"})
    lane = Lane(queue="sms", priority=Priority.LOW, share=1)
    async with open_registry(settings) as registry, open_container(settings, registry) as opened:
        assert await opened.bus().depths([lane]) == {lane: 0}


async def test_a_missing_live_thing_is_noticed_at_once() -> None:
    with pytest.raises(Exception, match="has undefined dependencies"):
        Container(store=providers.Object(object())).check_dependencies()


def test_the_bus_in_the_process_has_no_topology(tmp_path: Path) -> None:
    from jobmill.entrypoints.container import declared_registry

    settings = Settings.from_env({"JOBMILL_HOME": str(tmp_path)})

    assert topology_of(settings, declared_registry(settings)) is None
