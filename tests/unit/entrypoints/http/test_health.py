"""Whether the process lives and can work."""

import pytest

from jobmill.application.errors import StorageUnavailable

from tests.unit.entrypoints.http.api_world import ApiWorld, problem


@pytest.mark.parametrize("path", ["/health/live", "/api/health/live"])
async def test_a_process_that_answers_is_alive_whatever_else(api: ApiWorld, path: str) -> None:
    api.trouble = StorageUnavailable("away")
    api.parts["database"] = "away"

    answer = await api.get(path)

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": "0.0.7"}


async def test_a_process_with_all_its_parts_is_ready(api: ApiWorld) -> None:
    answer = await api.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": "0.0.7", "parts": {"database": "ok", "broker": "ok"}}


async def test_without_the_broker_it_serves_on_degraded(api: ApiWorld) -> None:
    api.parts["broker"] = "connection refused"

    answer = await api.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["parts"]["broker"] == "connection refused"


async def test_without_its_database_it_is_not_ready(api: ApiWorld) -> None:
    api.parts |= {"database": "connection refused", "broker": "away too"}

    answer = await api.get("/health/ready")

    assert problem(answer) == (503, "not-ready")
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["parts"] == {"database": "connection refused", "broker": "away too"}
