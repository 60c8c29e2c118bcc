"""Batches with a callback over HTTP: how they are asked for, answered, refused and looked at."""

import json
from typing import Any

import pytest

from jobmill.domain.states import JobState

from tests.builders import an_id
from tests.unit.entrypoints.http.api_world import ApiWorld, an_email, pointers, problem

PATH = "/api/batches"


def a_batch(*jobs: dict[str, Any], callback: object = None) -> dict[str, Any]:
    return {"callback": an_email(tags=["last"]) if callback is None else callback, "jobs": list(jobs)}


async def test_a_batch_is_answered_with_its_jobs_and_its_callback(api: ApiWorld) -> None:
    answer = await api.post(PATH, a_batch(an_email(), an_email(follows=0)))

    assert answer.status_code == 201
    body = answer.json()
    assert answer.headers["location"] == f"/api/batches/{body['id']}"
    assert (body["callback"]["id"], body["callback"]["status"]) == (body["id"], "scheduled")
    assert [job["status"] for job in body["jobs"]] == ["queued", "scheduled"]
    assert [job["batch"] for job in (*body["jobs"], body["callback"])] == [body["id"]] * 3
    assert [job["follows"] for job in body["jobs"]] == [None, body["jobs"][0]["id"]]


async def test_a_batch_tells_how_its_jobs_stand(api: ApiWorld) -> None:
    made = (await api.post(PATH, a_batch(an_email(), an_email()))).json()
    await api.post(f"/api/jobs/{made['jobs'][0]['id']}/cancel")

    answer = await api.get(f"{PATH}/{made['id']}")

    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["callback"]["id"]) == (made["id"], made["id"])
    assert (body["size"], body["unfinished"], body["cancelled"], body["gone"]) == (2, 1, 1, 0)


async def test_a_job_is_no_batch(api: ApiWorld) -> None:
    job = (await api.post("/api/jobs", an_email())).json()

    for wrong in (job["id"], an_id()):
        assert problem(await api.get(f"{PATH}/{wrong}")) == (404, "job-not-found")


async def test_a_batch_sent_again_is_answered_with_the_first(api: ApiWorld) -> None:
    batch = a_batch(an_email(idempotency_key="a"), callback=an_email(idempotency_key="b"))
    first = await api.post(PATH, batch)

    second = await api.post(PATH, batch)

    assert (second.status_code, second.headers["idempotency-replayed"]) == (200, "true")
    assert second.json() == {**first.json(), "replayed": True}
    assert len(api.jobs) == 2


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (7, [""]),
        ({}, ["/jobs", "/callback"]),
        ({"jobs": [], "callback": an_email()}, ["/jobs"]),
        ({"jobs": 7, "callback": an_email()}, ["/jobs"]),
        ({"jobs": [an_email()], "callback": an_email(), "more": 1}, ["/more"]),
        (
            a_batch(an_email(delay_s=-1), callback=an_email(follows=0)),
            ["/jobs/0/delay_s", "/callback/follows"],
        ),
        (a_batch(an_email(follows="x")), ["/jobs/0/follows"]),
        (a_batch(an_email(follows=True)), ["/jobs/0/follows"]),
        (a_batch(an_email(follows=0)), ["/jobs/0/follows"]),
        (a_batch(an_email(follows=str(an_id()))), ["/jobs/0/follows"]),
        (a_batch(an_email(idempotency_key="a")), ["/callback/idempotency_key"]),
        (a_batch(an_email(), callback=7), ["/callback"]),
    ],
)
async def test_a_batch_of_another_form_is_refused_with_the_place(
    api: ApiWorld, body: object, wrong: list[str]
) -> None:
    answer = await api.post(PATH, body)

    assert problem(answer) == (400, "invalid-input")
    assert pointers(answer) == wrong
    assert not api.jobs


def a_long_batch(**more: object) -> dict[str, Any]:
    return {"jobs": [an_email(payload={"recipient": "x" * 9_000}) for _ in range(12)], **more}


async def test_a_long_batch_is_read_like_a_short_one(api: ApiWorld) -> None:
    for body in (a_long_batch(callback=an_email()), {"callback": an_email(), **a_long_batch()}):
        answer = await api.post(PATH, body)

        assert answer.status_code == 201
        assert len(answer.json()["jobs"]) == 12


@pytest.mark.parametrize(
    ("body", "refusal", "wrong"),
    [
        (json.dumps(a_long_batch()), "invalid-input", ["/callback"]),
        (json.dumps(a_long_batch(callback=an_email(), more=1)), "invalid-input", ["/more"]),
        (json.dumps(a_long_batch(callback=an_email(delay_s=-1))), "invalid-input", ["/callback/delay_s"]),
        (json.dumps(a_long_batch(callback=an_email()))[:-1], "malformed-json", [""]),
        (json.dumps(a_long_batch(callback=an_email()))[:-1] + ',"jobs":[]}', "malformed-json", [""]),
        (f"[{'1,' * 50_000}1]", "invalid-input", [""]),
    ],
)
async def test_what_is_wrong_with_a_long_batch_is_told_with_its_place(
    api: ApiWorld, body: str, refusal: str, wrong: list[str]
) -> None:
    answer = await api.post(PATH, body.encode())

    assert problem(answer) == (400, refusal)
    assert pointers(answer) == wrong
    assert not api.jobs


async def test_a_key_for_the_whole_batch_is_refused(api: ApiWorld) -> None:
    answer = await api.post(PATH, a_batch(an_email()), headers={"idempotency-key": "k"})

    assert problem(answer) == (400, "invalid-input")


async def test_a_single_job_may_follow_another(api: ApiWorld) -> None:
    first = (await api.post("/api/jobs", an_email())).json()

    answer = await api.post("/api/jobs", an_email(follows=first["id"]))

    assert (answer.status_code, answer.json()["follows"]) == (201, first["id"])
    assert answer.json()["status"] == JobState.SCHEDULED.value
