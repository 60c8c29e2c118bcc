"""``GET /metrics``, and how requests are counted for it."""

from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jobmill.application.errors import StorageUnavailable

from tests.builders import an_id
from tests.unit.entrypoints.http.api_world import ApiWorld, an_email, problem

COUNT = "jobmill_http_request_duration_seconds_count"


async def told(api: ApiWorld, name: str, *labels: str) -> Mapping[tuple[str, ...], float]:
    """The samples of one name, by the values of these labels."""
    text = (await api.get("/metrics")).text
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    return {
        tuple(each.labels[label] for label in labels): each.value for each in samples if each.name == name
    }


async def requests(api: ApiWorld) -> Mapping[tuple[str, ...], float]:
    return await told(api, COUNT, "method", "route", "status")


@pytest.mark.parametrize("path", ["/metrics", "/api/metrics"])
async def test_the_page_is_text_that_nobody_keeps(api: ApiWorld, path: str) -> None:
    answer = await api.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "# TYPE jobmill_jobs gauge\n" in answer.text


async def test_it_answers_to_names_of_this_machine_only(api: ApiWorld) -> None:
    answer = await api.get("/metrics", headers={"host": "evil.example"})

    assert problem(answer) == (421, "misdirected-request")


async def test_it_answers_without_the_store(api: ApiWorld) -> None:
    api.trouble = StorageUnavailable("away")

    assert await told(api, "jobmill_store_up") == {(): 0}


async def test_requests_are_counted_by_the_pattern_of_their_path(api: ApiWorld) -> None:
    job = await api.submits()
    await api.get(f"/api/jobs/{job['id']}")
    await api.get(f"/jobs/{an_id()}")
    await api.post("/jobs", {"type": "no-such"})
    await api.post("/api/jobs/batch", {"jobs": [an_email()]})

    assert await requests(api) == {
        ("POST", "/jobs", "201"): 1,
        ("GET", "/jobs/{job_id}", "200"): 1,
        ("GET", "/jobs/{job_id}", "404"): 1,
        ("POST", "/jobs", "400"): 1,
        ("POST", "/jobs/batch", "201"): 1,
    }


async def test_what_leads_nowhere_or_is_refused_at_the_door_is_one_route(api: ApiWorld) -> None:
    for path in ("/nowhere", "/jobs/1/2/3", "/api/else"):
        await api.get(path)
    await api.get("/jobs", headers={"host": "evil.example"})
    async with api.client() as client:
        await client.request("BREW", "/nowhere")

    counted = await requests(api)

    assert counted["GET", "none", "404"] == 3
    assert counted["GET", "none", "421"] == 1
    assert {key for key in counted if key[0] == "none"} == {("none", "none", "404")}


async def test_a_client_that_chose_to_wait_is_told_apart(api: ApiWorld) -> None:
    job = await api.submits()
    await api.get(f"/api/jobs/{job['id']}?wait=20")

    assert (await requests(api))["GET", "/jobs/{job_id}?wait", "200"] == 1
    sums = await told(api, COUNT.replace("count", "sum"), "route")
    assert sums["/jobs/{job_id}?wait",] < 20  # in virtual time it took none


async def test_a_failure_of_ours_is_counted_too(api: ApiWorld) -> None:
    api.trouble = RuntimeError("a fault of ours")
    await api.get("/jobs")
    api.trouble = None

    assert (await requests(api))["GET", "/jobs", "500"] == 1
