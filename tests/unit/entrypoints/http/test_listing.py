"""Finding jobs: lists, filters, pages."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from jobmill.domain.states import JobState

from tests.builders import a_job, a_job_that_is
from tests.unit.entrypoints.http.api_world import ApiWorld, pointers, problem


async def ids(api: ApiWorld, path: str) -> list[str]:
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json()]


def next_page(answer: httpx.Response) -> str | None:
    link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
    return link[1] if link else None


async def every_page(api: ApiWorld, path: str) -> list[list[str]]:
    pages: list[list[str]] = []
    following: str | None = path
    while following is not None:
        answer = await api.get(following)
        pages.append([each["id"] for each in answer.json()])
        following = next_page(answer)
    return pages


async def test_a_list_is_a_plain_array_newest_first(api: ApiWorld) -> None:
    made = [(await api.submits())["id"] for _ in range(3)]

    assert await ids(api, "/api/jobs") == made[::-1]
    assert await ids(api, "/jobs?order=asc") == made


async def test_without_jobs_the_list_is_empty(api: ApiWorld) -> None:
    answer = await api.get("/api/jobs")

    assert answer.json() == []
    assert "link" not in answer.headers


@pytest.mark.parametrize("order", ["desc", "asc"])
async def test_following_the_links_shows_every_job_once(api: ApiWorld, order: str) -> None:
    made = [(await api.submits(tags=["wanted"]))["id"] for _ in range(5)]
    await api.submits()

    pages = await every_page(api, f"/api/jobs?limit=2&tag=wanted&order={order}")

    assert (
        pages == [made[:2], made[2:4], made[4:]] if order == "asc" else [made[:2:-1], made[2:0:-1], made[:1]]
    )


async def test_jobs_made_in_between_do_not_disturb_the_pages(api: ApiWorld) -> None:
    made = [(await api.submits())["id"] for _ in range(4)]
    first = await api.get("/api/jobs?limit=2")
    await api.submits()

    second = await api.get(next_page(first) or "")

    assert [job["id"] for job in second.json()] == [made[1], made[0]]


async def test_a_page_holds_fifty_unless_asked_otherwise(api: ApiWorld) -> None:
    await api.post("/api/jobs/batch", {"jobs": [{"type": "anything", "payload": {}}] * 201})

    assert len(await ids(api, "/api/jobs")) == 50
    assert len(await ids(api, "/api/jobs?limit=200")) == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=email", "email"),
        ("type=EMAIL", "email"),
        ("queue=slow", "slow"),
        ("tag=t%C3%BC", "tagged"),
        ("tenant=acme", "acme"),
        ("correlation_id=order-7", "order"),
        ("status=failed", "failed"),
        ("created_before=2029-06-01T00:00:00Z", "old"),
        ("created_from=2030-06-01T02:00:00%2B02:00", "new"),
    ],
)
async def test_each_filter_finds_its_own(api: ApiWorld, query: str, found: str) -> None:
    now = api.clock.now()
    year = timedelta(days=365)
    kinds: dict[str, dict[str, Any]] = {
        "email": {"type": "email"},
        "slow": {"queue": "slow"},
        "tagged": {"tags": ("tü",)},
        "acme": {"tenant": "acme"},
        "order": {"correlation_id": "order-7"},
        "old": {"created_at": now - year},
        "new": {"created_at": now + year},
    }
    jobs = {name: a_job(now=now, **({"type": "anything"} | facts)) for name, facts in kinds.items()}
    jobs["failed"] = a_job_that_is(JobState.FAILED, now=now, type="anything")
    for job in jobs.values():
        await api.has(job)

    assert await ids(api, f"/api/jobs?{query}") == [str(jobs[found].id)]


@pytest.mark.parametrize("query", ["status=failed&status=expired", "status=failed,expired"])
async def test_several_statuses_may_be_asked_for_at_once(api: ApiWorld, query: str) -> None:
    for state in JobState:
        await api.has(a_job_that_is(state, now=api.clock.now()))

    answer = await api.get(f"/api/jobs?{query}")

    assert {job["status"] for job in answer.json()} == {"failed", "expired"}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("limit=many", "/limit"),
        ("limit=1&limit=2", "/limit"),
        ("limit=%D9%A3", "/limit"),
        ("status=sleeping", "/status"),
        ("status=failed,", "/status"),
        ("order=up", "/order"),
        ("cursor=abc", "/cursor"),
        ("cursor=AAAAAAAAAAAAAAAAAAAAA_", "/cursor"),
        ("created_from=yesterday", "/created_from"),
        ("created_from=2030-01-01T00:00:00", "/created_from"),
        ("created_before=2030-01-01T00:00:00+02:00", "/created_before"),
        ("type=", "/type"),
        ("tenant=%00", "/tenant"),
        ("tenant=%FF", ""),
        (f"tag={'x' * 256}", "/tag"),
        ("page=2", "/page"),
        ("&".join(["status=failed"] * 51), ""),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused_with_its_name(
    api: ApiWorld, query: str, pointer: str
) -> None:
    answer = await api.get(f"/api/jobs?{query}")

    assert problem(answer) == (400, "invalid-input")
    assert pointers(answer) == [pointer]


async def test_all_faults_of_a_query_are_told(api: ApiWorld) -> None:
    answer = await api.get("/api/jobs?limit=0&order=up&page=2&status=a,b")

    assert sorted(pointers(answer)) == ["/limit", "/order", "/page", "/status", "/status"]


async def test_a_plus_that_became_a_space_is_explained(api: ApiWorld) -> None:
    answer = await api.get("/api/jobs?created_from=2030-01-01T00:00:00+02:00")

    assert "%2B" in answer.json()["detail"]
