"""Each status that the description promises is really answered, and by no request is another."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx
import pytest

from jobmill.application.errors import StorageUnavailable
from jobmill.application.handlers import Registry
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.entrypoints.http.openapi.document import openapi_document
from jobmill.entrypoints.http.openapi.operations import OPERATIONS, Operation

from tests.builders import a_job_that_is, an_id
from tests.unit.entrypoints.http.api_world import ApiWorld, an_email, handlers

Ask = Callable[[ApiWorld, Operation], Awaitable[httpx.Response]]

DOCUMENT: Final[Any] = openapi_document(Registry([handlers]), version="1")
#: These ask nobody, so nothing can go wrong in them that could be brought about here.
SELF_CONTAINED: Final = {"live", "listTypes"}
PROMISED: Final = [
    (operation, int(status))
    for operation in OPERATIONS
    for status in DOCUMENT["paths"][operation.path][operation.method]["responses"]
    if status != "500" or operation.name not in SELF_CONTAINED
]

GOOD_BODIES: Final[Mapping[str, object]] = {
    "submitJob": an_email(),
    "submitBatch": {"jobs": [an_email()]},
    "submitBatchWithCallback": {"jobs": [an_email()], "callback": an_email()},
}
#: In which state a job has to be for the verb in the path.
MOVABLE: Final = {"cancel": JobState.QUEUED, "requeue": JobState.FAILED, "discard": JobState.FAILED}


async def send(
    api: ApiWorld,
    operation: Operation,
    body: object = None,
    *,
    job_id: object = "",
    query: str = "",
    **settings: Any,
) -> httpx.Response:
    path = "/api" + operation.path.replace("{id}", str(job_id)) + query
    if operation.method == "get":
        return await api.get(path, **settings)
    return await api.post(path, body, **settings)


async def a_stored_job(api: ApiWorld, operation: Operation) -> Job:
    verb = operation.path.rpartition("/")[2]
    state = JobState.FAILED if "dead" in operation.path else MOVABLE.get(verb, JobState.QUEUED)
    facts: dict[str, Any] = {"type": "email", "queue": "mail", "payload": '{"recipient":"ada"}'}
    if operation.name == "getBatch":
        facts["batch_size"] = 1
    return await api.has(a_job_that_is(state, now=api.clock.now(), **facts))


async def well(api: ApiWorld, operation: Operation, **settings: Any) -> httpx.Response:
    job = await a_stored_job(api, operation)
    return await send(api, operation, GOOD_BODIES.get(operation.name), job_id=job.id, **settings)


def keyed(operation: Operation, body: dict[str, Any]) -> dict[str, Any]:
    """A request for this job under its key."""
    if operation.name == "submitJob":
        return body
    if operation.name == "submitBatch":
        return {"jobs": [body]}
    return {"jobs": [body], "callback": an_email(idempotency_key="callback")}


async def replayed(api: ApiWorld, operation: Operation) -> httpx.Response:
    if operation.name not in GOOD_BODIES:
        return await well(api, operation)
    request = keyed(operation, an_email(idempotency_key="k"))
    await send(api, operation, request)
    return await send(api, operation, request)


async def made(api: ApiWorld, operation: Operation) -> httpx.Response:
    if operation.name in GOOD_BODIES:
        return await well(api, operation)
    return await send(api, operation, an_email(), job_id=(await api.keeps(b"x")).id)


async def asked_to_stop(api: ApiWorld, operation: Operation) -> httpx.Response:
    job = await api.has(a_job_that_is(JobState.PROCESSING, now=api.clock.now()))
    return await send(api, operation, job_id=job.id)


async def with_a_strange_query(api: ApiWorld, operation: Operation) -> httpx.Response:
    return await well(api, operation, query="?colour=red")


async def for_an_unknown_id(api: ApiWorld, operation: Operation) -> httpx.Response:
    return await send(api, operation, job_id=an_id())


async def against_the_state(api: ApiWorld, operation: Operation) -> httpx.Response:
    if "dead" not in operation.path:
        job = await api.has(a_job_that_is(JobState.SUCCEEDED, now=api.clock.now()))
        return await send(api, operation, job_id=job.id)
    job = await a_stored_job(api, operation)

    def moves_in_between(moment: str) -> None:
        if moment == "before jobs.save":
            api.jobs[job.id] = a_job_that_is(JobState.DISCARDED, id=job.id)

    api.at_statement = moves_in_between
    return await send(api, operation, job_id=job.id)


async def with_too_much(api: ApiWorld, operation: Operation) -> httpx.Response:
    size = 17 * 1024 * (1024 if operation.name.startswith("submitBatch") else 1)
    return await send(api, operation, b" " * size, job_id=(await a_stored_job(api, operation)).id)


async def with_another_kind_of_body(api: ApiWorld, operation: Operation) -> httpx.Response:
    job = await a_stored_job(api, operation)
    return await send(api, operation, b"<a/>", job_id=job.id, headers={"content-type": "text/xml"})


async def under_a_foreign_name(api: ApiWorld, operation: Operation) -> httpx.Response:
    return await well(api, operation, headers={"host": "evil.example"})


async def from_a_foreign_page(api: ApiWorld, operation: Operation) -> httpx.Response:
    return await well(api, operation, headers={"origin": "https://evil.example"})


async def under_a_key_that_is_taken(api: ApiWorld, operation: Operation) -> httpx.Response:
    if operation.name == "requeueDeadLetter":
        message = await api.keeps(b"x")
        await send(api, operation, an_email(), job_id=message.id)
        await api.store.quarantine.keep([message])
        return await send(api, operation, an_email(tags=["other"]), job_id=message.id)
    if operation.name not in GOOD_BODIES:
        return await well(api, operation)
    await api.submits(idempotency_key="k")
    return await send(api, operation, keyed(operation, an_email(idempotency_key="k", tags=["other"])))


async def with_a_fault_of_ours(api: ApiWorld, operation: Operation) -> httpx.Response:
    job = await a_stored_job(api, operation)
    api.trouble = RuntimeError("broken")
    return await send(api, operation, GOOD_BODIES.get(operation.name), job_id=job.id)


async def without_the_database(api: ApiWorld, operation: Operation) -> httpx.Response:
    job = await a_stored_job(api, operation)
    api.trouble = StorageUnavailable("away")
    api.parts["database"] = "away"
    return await send(api, operation, GOOD_BODIES.get(operation.name), job_id=job.id)


HOW: Final[Mapping[int, Ask]] = {
    200: replayed,
    201: made,
    202: asked_to_stop,
    400: with_a_strange_query,
    403: from_a_foreign_page,
    404: for_an_unknown_id,
    409: against_the_state,
    413: with_too_much,
    415: with_another_kind_of_body,
    421: under_a_foreign_name,
    422: under_a_key_that_is_taken,
    500: with_a_fault_of_ours,
    503: without_the_database,
}


@pytest.mark.parametrize(("operation", "status"), PROMISED, ids=lambda each: getattr(each, "name", each))
async def test_a_promised_status_is_answered(api: ApiWorld, operation: Operation, status: int) -> None:
    answer = await HOW[status](api, operation)

    assert answer.status_code == status, answer.text
    promised = DOCUMENT["paths"][operation.path][operation.method]["responses"][str(status)]
    kind = answer.headers["content-type"]
    if kind.startswith("text/"):  # whose version and charset the description leaves out; JSON has neither
        kind = kind.partition(";")[0]
    assert kind in promised["content"]
    if status >= 400:
        assert answer.json()["code"] in promised["description"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
async def test_no_status_is_answered_that_is_not_promised(api: ApiWorld, operation: Operation) -> None:
    promised = DOCUMENT["paths"][operation.path][operation.method]["responses"]

    for ask in HOW.values():
        answer = await ask(ApiWorld(), operation)

        assert str(answer.status_code) in promised, (ask.__name__, answer.text)
