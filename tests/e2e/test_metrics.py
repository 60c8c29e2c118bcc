"""What API and worker show of themselves, as Prometheus reads it."""

from collections.abc import Mapping

import httpx
import pytest
from httpx import codes
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.e2e.mill import Mill, ended, submit
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

#: Each fails, so that the breaker opens after ten.
DOWN = "simulate://?failure_rate=1"
TEXT = {"to": "+15550100200", "message": "Hello"}
TEXTS = 15
BREAKER = "jobmill_provider_breaker"


async def read(url: str) -> list[Sample]:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{url}/metrics")).raise_for_status().text
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def value(samples: list[Sample], name: str, **labels: str) -> float | None:
    """The one sample of a name with these labels; None where it is not on the page."""
    found = [each.value for each in samples if each.name == name and labels.items() <= each.labels.items()]
    assert len(found) <= 1, found
    return found[0] if found else None


async def shows(url: str, name: str, wanted: float, **labels: str) -> bool:
    """Wait for a sample."""

    async def is_there() -> bool:
        return value(await read(url), name, **labels) == wanted

    return await until(is_there, within_s=30)


async def test_a_breaker_that_opens_and_the_jobs_behind_it_are_seen_on_api_and_worker(
    cluster: Mill, client: httpx.AsyncClient
) -> None:
    [port] = free_ports(1)
    worker_url = f"http://127.0.0.1:{port}"
    cluster.settings = {
        **cluster.settings,
        "JOBMILL_SMS_URL": DOWN,
        "JOBMILL_METRICS_PORT": str(port),
        "JOBMILL_CONCURRENCY": "50",
    }
    await _set_up(cluster)
    await cluster.serves(cluster.start("api", name="api"))
    await cluster.says(cluster.start("worker", name="worker"), f"localhost:{port}/metrics")
    for _ in range(TEXTS):
        await submit(client, "sms", TEXT)
    done = await submit(client, "simulate", {"duration_s": 0})
    await ended(client, done["id"])

    for url in (cluster.url, worker_url):
        assert await shows(url, BREAKER, 1, provider="sms:simulate", state="open")
        assert await shows(url, BREAKER, 0, provider="sms:simulate", state="closed")
        assert value(await read(url), "jobmill_broker_up") == 1

    api, worker = await read(cluster.url), await read(worker_url)
    assert value(api, "jobmill_job_events_total", type="sms", event="submitted") == TEXTS
    assert value(api, "jobmill_job_events_total", type="sms", event="started") is None
    assert value(api, "jobmill_worker_slots") is None
    assert value(api, "jobmill_http_request_duration_seconds_count", route="/jobs") == TEXTS + 1
    assert value(worker, "jobmill_worker_slots") == 50
    assert value(worker, "jobmill_job_completion_seconds_count", type="simulate") == 1
    assert value(worker, "jobmill_machinery_events_total", event="breaker opened") == 1
    assert (value(worker, "jobmill_provider_calls_max", provider="sms:simulate") or 0) < 1_000
    assert _started(worker) >= 10
    assert sum(_waiting(api).values()) == sum(_waiting(worker).values()) == TEXTS
    assert {pool for pool, size in _pools(worker).items() if size} == {
        *("general", "hot", "forgetting", "handlers"),
    }


async def test_all_in_one_shows_what_happens_and_how_much_is_open(
    embedded: Mill, client: httpx.AsyncClient
) -> None:
    await embedded.serves(embedded.start("up", name="up"))
    job = await submit(client, "simulate", {"duration_s": 0})
    await submit(client, "simulate", {"duration_s": 0}, delay_s=3_600)
    await submit(client, "simulate", {"duration_s": 60})
    await ended(client, job["id"])

    assert await shows(embedded.url, "jobmill_worker_slots_in_use", 1)
    samples = await read(embedded.url)

    assert value(samples, "jobmill_job_events_total", type="simulate", event="succeeded") == 1
    assert value(samples, "jobmill_attempt_duration_seconds_count", type="simulate") == 1
    assert value(samples, "jobmill_jobs", queue="simulate", state="scheduled") == 1
    assert set(_pools(samples)) == {"writer", "reader"}
    assert value(samples, "jobmill_worker_slots") == 100


async def test_others_than_this_machine_read_a_worker_where_that_was_said(cluster: Mill) -> None:
    port, open_port = free_ports(2)
    foreign = {"host": "10.0.0.7:9464"}  # as a Prometheus asks that found the address by a name service
    alone = {"JOBMILL_METRICS_PORT": str(port)}
    cluster.settings = {**cluster.settings, **alone}
    worker = cluster.start("worker", name="alone")
    assert await _answers(worker, f"http://127.0.0.1:{port}/metrics", foreign) == codes.MISDIRECTED_REQUEST

    wide = {"JOBMILL_METRICS_PORT": str(open_port), "JOBMILL_METRICS_HOST": "0.0.0.0"}
    cluster.settings = {**cluster.settings, **wide}
    code, printed = await cluster.run("worker")
    assert code == 1
    assert "set JOBMILL_OPEN=1" in printed
    cluster.settings = {**cluster.settings, "JOBMILL_OPEN": "1"}
    worker = cluster.start("worker", name="open")
    assert await _answers(worker, f"http://127.0.0.1:{open_port}/metrics", foreign) == codes.OK


async def _answers(process: ServerProcess, url: str, headers: Mapping[str, str]) -> int | None:
    """The status of the first answer; a worker answers before its servers do."""
    seen: list[int] = []

    async def is_there() -> bool:
        async with httpx.AsyncClient() as client:
            try:
                seen.append((await client.get(url, headers=headers)).status_code)
            except httpx.TransportError:
                return False
        return True

    assert await until(is_there, within_s=30, hopeless=lambda: process.has_ended), process.last_words()
    return seen[0]


def _started(samples: list[Sample]) -> float:
    return value(samples, "jobmill_job_events_total", type="sms", event="started") or 0


def _waiting(samples: list[Sample]) -> Mapping[str, float]:
    states = ("queued", "retrying", "processing")
    return {state: value(samples, "jobmill_jobs", queue="sms", state=state) or 0 for state in states}


def _pools(samples: list[Sample]) -> Mapping[str, float]:
    name = "jobmill_database_connections_max"
    return {each.labels["pool"]: each.value for each in samples if each.name == name}


async def _set_up(cluster: Mill) -> None:
    for command in (("migrate",), ("topology", "apply")):
        code, printed = await cluster.run(*command)
        assert code == 0, printed
