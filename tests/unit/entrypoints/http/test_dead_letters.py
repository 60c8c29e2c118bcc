"""What died: one list of dead jobs and foreign messages, and what can be done about them."""

import pytest

from jobmill.domain.job import Job
from jobmill.domain.states import JobState

from tests.builders import a_job_that_is
from tests.unit.entrypoints.http.api_world import ApiWorld, an_email, pointers, problem
from tests.unit.entrypoints.http.test_listing import every_page


async def a_dead_job(api: ApiWorld, state: JobState = JobState.FAILED, **facts: str) -> Job:
    job = a_job_that_is(
        state, now=api.clock.now(), id=api.entropy.job_id(), payload='{"recipient":"ada"}', **facts
    )
    return await api.has(job)


async def test_dead_jobs_and_messages_stand_in_one_list_newest_first(api: ApiWorld) -> None:
    failed = await a_dead_job(api)
    message = await api.keeps(b"hello")
    expired = await a_dead_job(api, JobState.EXPIRED)
    await a_dead_job(api, JobState.SUCCEEDED)

    answer = await api.get("/api/dead-letters")

    assert [(letter["kind"], letter["id"]) for letter in answer.json()] == [
        ("expired", str(expired.id)),
        ("quarantined", str(message.id)),
        ("failed", str(failed.id)),
    ]


async def test_the_links_lead_through_jobs_and_messages_alike(api: ApiWorld) -> None:
    made = [str((await (a_dead_job(api) if at % 2 else api.keeps(b"x"))).id) for at in range(5)]

    pages = await every_page(api, "/dead-letters?limit=2")

    assert [letter for page in pages for letter in page] == made[::-1]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("kind=failed", ["failed"]),
        ("kind=expired,failed", ["expired", "failed"]),
        ("kind=quarantined&kind=failed", ["quarantined", "failed"]),
        ("type=email", ["expired", "failed"]),
        ("queue=other", []),
    ],
)
async def test_letters_can_be_filtered(api: ApiWorld, query: str, kinds: list[str]) -> None:
    await a_dead_job(api)
    await api.keeps(b"x")
    await a_dead_job(api, JobState.EXPIRED)

    answer = await api.get(f"/api/dead-letters?{query}")

    assert [letter["kind"] for letter in answer.json()] == kinds


@pytest.mark.parametrize(
    "query", ["kind=cancelled", "status=failed", "order=asc", "created_from=2030-01-01T00:00:00Z"]
)
async def test_a_filter_that_letters_do_not_have_is_refused(api: ApiWorld, query: str) -> None:
    answer = await api.get(f"/api/dead-letters?{query}")

    assert problem(answer) == (400, "invalid-input")
    assert pointers(answer) == ["/" + query.partition("=")[0]]


async def test_a_dead_job_is_shown_with_its_history(api: ApiWorld) -> None:
    job = await a_dead_job(api)

    answer = await api.get(f"/api/dead-letters/{job.id}")

    assert answer.json()["kind"] == "failed"
    assert answer.json()["history"] == []
    assert answer.json()["payload"] == {"recipient": "ada"}


@pytest.mark.parametrize(("raw", "text", "packed"), [(b"hello", "hello", None), (b"\xff\x00", None, "/wA=")])
async def test_a_message_is_shown_as_it_came(
    api: ApiWorld, raw: bytes, text: str | None, packed: str | None
) -> None:
    message = await api.keeps(raw)

    answer = await api.get(f"/api/dead-letters/{message.id}")

    assert answer.json() == {
        "kind": "quarantined",
        "id": str(message.id),
        "received_at": "2030-01-01T00:00:00Z",
        "source": "mail.normal",
        "reason": "not a parcel",
        "content_type": "text/plain",
        "size_bytes": len(raw),
        "headers": {"x-from": "elsewhere"},
        "body": text,
        "body_base64": packed,
    }


@pytest.mark.parametrize("verb", ["", "/requeue", "/discard"])
async def test_a_job_that_lives_is_no_dead_letter(api: ApiWorld, verb: str) -> None:
    job = await a_dead_job(api, JobState.QUEUED)
    path = f"/api/dead-letters/{job.id}{verb}"

    answer = await (api.post(path) if verb else api.get(path))

    assert problem(answer) == (404, "job-not-found")
    assert "queued" in answer.json()["detail"]


async def test_a_dead_job_starts_over(api: ApiWorld) -> None:
    job = await a_dead_job(api)

    answer = await api.post(f"/api/dead-letters/{job.id}/requeue", {"payload": {"recipient": "bob"}})

    assert answer.status_code == 200
    assert answer.json()["payload"] == {"recipient": "bob"}


async def test_a_dead_job_is_put_away(api: ApiWorld) -> None:
    job = await a_dead_job(api)

    answer = await api.post(f"/api/dead-letters/{job.id}/discard")

    assert answer.json()["status"] == "discarded"
    assert (await api.get("/api/dead-letters")).json() == []


async def test_a_message_is_mended_into_a_job(api: ApiWorld) -> None:
    message = await api.keeps(b"hello")

    answer = await api.post(f"/api/dead-letters/{message.id}/requeue", an_email(priority="high"))

    [job] = api.jobs.values()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/jobs/{job.id}"
    assert answer.json()["priority"] == "high"
    assert (await api.get("/api/dead-letters")).json() == []


async def test_mending_again_after_a_crash_finds_the_job_that_was_made(api: ApiWorld) -> None:
    message = await api.keeps(b"hello")
    first = await api.post(f"/api/dead-letters/{message.id}/requeue", an_email())
    await api.store.quarantine.keep([message])

    second = await api.post(f"/api/dead-letters/{message.id}/requeue", an_email())

    assert second.status_code == 200
    assert second.headers["idempotency-replayed"] == "true"
    assert second.json()["id"] == first.json()["id"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (None, [""]),
        ({}, ["/type", "/payload"]),
        (an_email(payload={}, delay_s=-1), ["/delay_s", "/payload/recipient"]),
        (an_email(idempotency_key="mine"), ["/idempotency_key"]),
    ],
)
async def test_a_message_that_is_mended_badly_stays(api: ApiWorld, body: object, found: list[str]) -> None:
    message = await api.keeps(b"hello")

    answer = await api.post(f"/api/dead-letters/{message.id}/requeue", body)

    assert problem(answer)[0] == 400
    assert pointers(answer) == found
    assert not api.jobs
    assert len((await api.get("/api/dead-letters")).json()) == 1


async def test_a_message_is_shown_once_more_as_it_is_thrown_away(api: ApiWorld) -> None:
    message = await api.keeps(b"hello")

    answer = await api.post(f"/api/dead-letters/{message.id}/discard")

    assert answer.json()["body"] == "hello"
    assert (await api.get("/api/dead-letters")).json() == []
