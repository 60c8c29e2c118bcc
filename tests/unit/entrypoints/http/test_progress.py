"""How far a job is, as HTTP tells it."""

from jobmill.application.ports.progress import ProgressReport

from tests.builders import a_job, failed, started
from tests.unit.entrypoints.http.api_world import ApiWorld


async def test_a_job_whose_handler_says_nothing_has_none(api: ApiWorld) -> None:
    job = await api.submits()

    assert (await api.get(f"/api/jobs/{job['id']}")).json()["progress"] is None
    assert "progress" not in job, "a list, and the answer to a submission, do without"


async def test_what_a_running_handler_said_is_shown_with_its_job(api: ApiWorld) -> None:
    job = await api.has(a_job(now=api.clock.now()))
    running = await api.saved(started(job, now=api.clock.now()))
    said = ProgressReport(fence=running.fence, attempt=1, fraction=0.25, note="a quarter")
    await api.store.progress.write([said])

    shown = (await api.get(f"/api/jobs/{job.id}")).json()["progress"]

    assert shown == {"fraction": 0.25, "note": "a quarter", "attempt": 1, "at": "2030-01-01T00:00:00Z"}


async def test_a_dead_job_shows_how_far_it_came(api: ApiWorld) -> None:
    job = await api.has(a_job(now=api.clock.now(), max_attempts=1))
    running = await api.saved(started(job, now=api.clock.now()))
    said = ProgressReport(fence=running.fence, attempt=1, fraction=0.9, note=None)
    await api.store.progress.write([said])
    await api.saved(failed(running, now=api.clock.now()))

    shown = (await api.get(f"/api/dead-letters/{job.id}")).json()["progress"]

    assert (shown["fraction"], shown["note"]) == (0.9, None)


async def test_the_description_knows_it(api: ApiWorld) -> None:
    schemas = (await api.get("/openapi.json")).json()["components"]["schemas"]

    assert set(schemas["Progress"]["required"]) == {"fraction", "note", "attempt", "at"}
    assert "progress" in schemas["JobWithHistory"]["required"]
    assert "progress" not in schemas["Job"]["properties"]
