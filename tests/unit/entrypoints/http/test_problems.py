"""Every refusal is a problem document, whoever refuses."""

import logging
from datetime import timedelta

import pytest

from jobmill.application import errors
from jobmill.application.errors import SetupFault, StorageRefused, StorageUnavailable, StorageUnknown
from jobmill.domain.errors import JobmillError
from jobmill.entrypoints.http import refusals
from jobmill.entrypoints.http.problems import KINDS

from tests.unit.entrypoints.http.api_world import QUEUE_JOBS_MAX, ApiWorld, an_email, problem

#: What never reaches a client: these are for workers and handlers.
INSIDE = {
    "storage-refused",
    "lease-lost",
    "transaction-fault",
    "presence-lost",
    "client-closed",
    "wait-timed-out",
    "needs-database",
    "answer-lost",
    "foreign-database",
}


@pytest.mark.parametrize(
    "path", ["/nowhere", "/api", "/api/jobs/x/y/z", "/docs/VERSION.md", "/docs/..%2fapp.py"]
)
async def test_a_path_that_leads_nowhere(api: ApiWorld, path: str) -> None:
    answer = await api.get(path)

    assert problem(answer) == (404, "not-found")


async def test_a_method_that_does_not_fit(api: ApiWorld) -> None:
    async with api.client() as client:
        answer = await client.delete("/api/jobs")

    assert problem(answer) == (405, "method-not-allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
async def test_head_and_options_are_answered(api: ApiWorld, method: str) -> None:
    async with api.client() as client:
        answer = await client.request(method, "/api/jobs")

    assert answer.is_success
    assert method == "HEAD" or answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"


async def test_a_database_that_is_away_is_told_with_when_to_come_back(
    api: ApiWorld, caplog: pytest.LogCaptureFixture
) -> None:
    api.trouble = StorageUnavailable("no route to db-7.internal", retry_after=timedelta(seconds=2.5))

    answer = await api.get("/api/jobs")

    assert problem(answer) == (503, "storage-unavailable")
    assert answer.headers["retry-after"] == "3"
    assert "db-7" not in answer.text
    assert "db-7" in caplog.text


async def test_a_queue_without_room_takes_nothing(api: ApiWorld) -> None:
    for _ in range(QUEUE_JOBS_MAX // 1_000):
        assert (await api.post("/api/jobs/batch", {"jobs": [an_email()] * 1_000})).status_code == 201

    answer = await api.post("/api/jobs", an_email())

    assert problem(answer) == (503, "queue-full")
    assert answer.headers["retry-after"] == "5"
    assert "5,000" in answer.json()["detail"]
    assert len(api.jobs) == QUEUE_JOBS_MAX


async def test_a_job_that_could_not_be_stored_is_not_accepted(api: ApiWorld) -> None:
    api.trouble = StorageUnavailable("away")

    answer = await api.post("/api/jobs", an_email())

    assert problem(answer) == (503, "storage-unavailable")
    assert not api.jobs


async def test_a_job_of_which_nobody_knows_is_told_so(api: ApiWorld) -> None:
    api.trouble = StorageUnknown("cut off")

    answer = await api.post("/api/jobs", an_email())

    assert problem(answer) == (503, "storage-unknown")
    assert "idempotency key" in answer.json()["detail"]


async def test_what_a_person_has_to_mend_is_in_the_log_alone(
    api: ApiWorld, caplog: pytest.LogCaptureFixture
) -> None:
    api.trouble = SetupFault("password of jobmill@db-7 is wrong")

    answer = await api.get("/api/jobs")

    assert problem(answer) == (503, "setup-fault")
    assert "db-7" not in answer.text
    assert "db-7" in caplog.text


@pytest.mark.parametrize("trouble", [RuntimeError("secret"), StorageRefused("secret"), KeyError("secret")])
async def test_what_nobody_thought_of_stays_inside_and_leaves_its_stack_in_the_log(
    api: ApiWorld, caplog: pytest.LogCaptureFixture, trouble: Exception
) -> None:
    api.trouble = trouble

    with caplog.at_level(logging.ERROR):
        answer = await api.get("/api/jobs")

    assert problem(answer) == (500, "internal-error")
    assert "secret" not in answer.text
    [record] = [record for record in caplog.records if record.name == "jobmill.http"]
    assert record.exc_info
    assert answer.headers["x-request-id"] in record.getMessage()


async def test_a_path_cannot_forge_a_line_of_the_log(api: ApiWorld, caplog: pytest.LogCaptureFixture) -> None:
    api.trouble = RuntimeError("broken")

    await api.get("/api/jobs/00000000-0000-7000-8000-000000000000%0AERROR%20forged/cancel")
    await api.get("/api/jobs/00000000-0000-7000-8000-000000000000")

    assert all("\n" not in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("module", [errors, refusals])
def test_every_code_is_in_the_table(module: object) -> None:
    codes = {
        each.code
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, JobmillError) and each is not JobmillError
    }

    assert codes - set(KINDS) == INSIDE & codes
