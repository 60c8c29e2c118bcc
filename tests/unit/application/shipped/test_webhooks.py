"""The job type ``webhook``: the request it makes, and what it makes of the answer."""

from datetime import timedelta

import pytest
from attrs import define, field

from jobmill.adapters.memory.clocks import ManualClock
from jobmill.application.handlers import JobHandlers, PermanentFailure, RetryAfter, TransientFailure
from jobmill.application.ports.providers import (
    ProviderRefused,
    ProviderUnavailable,
    WebAnswer,
    WebClient,
    WebRequest,
)
from jobmill.application.shipped import webhook_handlers
from jobmill.domain.retry_policy import RetryPolicy

from tests.builders import NOW
from tests.unit.application.shipped.attempts import JOB_ID, an_attempt, run_one

URL = "https://hooks.example.com/secret-path?token=secret"


@define
class Web(WebClient):
    """A web where every server says the same, or where there is trouble on the way."""

    answer: WebAnswer = WebAnswer(status=200, body=b"ok")
    trouble: Exception | None = None
    requests: list[WebRequest] = field(factory=list)

    async def call(self, request: WebRequest) -> WebAnswer:
        self.requests.append(request)
        if self.trouble:
            raise self.trouble
        return self.answer


def a_web_that_says(status: int, retry_after: str | None = None) -> Web:
    return Web(answer=WebAnswer(status=status, retry_after=retry_after))


def webhooks(web: Web) -> JobHandlers:
    return webhook_handlers(web, clock=ManualClock(time=NOW))


async def the_request_for(**payload: object) -> WebRequest:
    web = Web()
    await run_one(webhooks(web), {"url": URL} | payload)
    [request] = web.requests
    return request


async def test_the_body_is_posted_as_json_under_the_key_and_the_time() -> None:
    request = await the_request_for(body={"order": 7, "names": ["Zoë", None]})

    assert (request.method, request.url) == ("POST", URL)
    assert request.body == '{"order":7,"names":["Zoë",null]}'.encode()
    assert request.headers == {
        "content-type": "application/json",
        "webhook-id": str(JOB_ID),
        "webhook-timestamp": str(int(NOW.timestamp())),
    }


async def test_the_id_is_the_same_in_every_attempt_and_changes_with_the_edition() -> None:
    web = Web()

    for attempt in (an_attempt(), an_attempt(attempt=2), an_attempt(key=f"{JOB_ID}:1")):
        await run_one(webhooks(web), {"url": URL}, attempt)

    ids = [request.headers["webhook-id"] for request in web.requests]
    assert ids == [str(JOB_ID), str(JOB_ID), f"{JOB_ID}:1"]


async def test_without_a_body_none_is_sent() -> None:
    request = await the_request_for(method="DELETE")

    assert (request.method, request.body) == ("DELETE", b"")
    assert "content-type" not in request.headers


@pytest.mark.parametrize(("body", "sent"), [(0, b"0"), (False, b"false"), ("", b'""'), ([], b"[]")])
async def test_a_body_that_looks_empty_is_one(body: object, sent: bytes) -> None:
    assert (await the_request_for(body=body)).body == sent


async def test_own_headers_go_along_and_may_name_another_type() -> None:
    own = {"Authorization": "Bearer x", "Content-Type": "application/cloudevents+json"}

    request = await the_request_for(body=1, headers=own)

    assert request.headers["authorization"] == "Bearer x"
    assert request.headers["content-type"] == "application/cloudevents+json"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_success_and_the_result_says_which(status: int) -> None:
    web = Web(answer=WebAnswer(status=status, body=bytes(65_536)))

    assert await run_one(webhooks(web), {"url": URL}) == {"status": status, "bytes": 65_536}


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
async def test_these_are_worth_another_attempt(status: int) -> None:
    with pytest.raises(TransientFailure, match=rf"^hooks.example.com answered {status}"):
        await run_one(webhooks(a_web_that_says(status)), {"url": URL})


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 418, 422, 451, 499])
async def test_any_other_4xx_is_final(status: int) -> None:
    with pytest.raises(PermanentFailure, match=rf"^hooks.example.com answered {status}"):
        await run_one(webhooks(a_web_that_says(status)), {"url": URL})


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_a_redirect_is_final(status: int) -> None:
    with pytest.raises(PermanentFailure, match="redirects are not followed"):
        await run_one(webhooks(a_web_that_says(status)), {"url": URL})


async def test_an_answer_that_is_none_is_final() -> None:
    with pytest.raises(PermanentFailure, match="answered 101"):
        await run_one(webhooks(a_web_that_says(101)), {"url": URL})


@pytest.mark.parametrize("status", [408, 429, 503])
async def test_a_server_that_asks_for_time_gets_it_and_the_attempt_counts(status: int) -> None:
    with pytest.raises(RetryAfter) as asked:
        await run_one(webhooks(a_web_that_says(status, retry_after="120")), {"url": URL})

    assert asked.value.when == timedelta(minutes=2)
    assert asked.value.counts
    assert f"answered {status}" in asked.value.reason


async def test_a_wait_until_a_date_is_counted_from_now() -> None:
    date = (NOW + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    with pytest.raises(RetryAfter) as asked:
        await run_one(webhooks(a_web_that_says(503, retry_after=date)), {"url": URL})

    assert asked.value.when == timedelta(seconds=90)


async def test_a_server_that_will_never_take_it_is_not_asked_later() -> None:
    with pytest.raises(PermanentFailure):
        await run_one(webhooks(a_web_that_says(404, retry_after="120")), {"url": URL})


async def test_no_answer_is_worth_another_attempt() -> None:
    web = Web(trouble=ProviderUnavailable("hooks.example.com did not answer in time"))

    with pytest.raises(TransientFailure, match=r"^hooks.example.com did not answer in time$"):
        await run_one(webhooks(web), {"url": URL})


async def test_a_request_that_must_not_be_made_is_final() -> None:
    web = Web(trouble=ProviderRefused("10.0.0.7 is a private address"))

    with pytest.raises(PermanentFailure, match=r"^10.0.0.7 is a private address$"):
        await run_one(webhooks(web), {"url": URL})


@pytest.mark.parametrize("status", [302, 404, 503])
async def test_the_path_which_may_hold_a_secret_is_in_no_message(status: int) -> None:
    with pytest.raises((PermanentFailure, TransientFailure)) as failure:
        await run_one(webhooks(a_web_that_says(status)), {"url": URL})

    assert "secret" not in str(failure.value)


def test_neither_address_nor_headers_nor_body_are_shown_with_a_request() -> None:
    request = WebRequest(method="POST", url=URL, headers={"authorization": "secret"}, body=b"secret")

    assert "secret" not in repr(request)


def test_the_type_has_its_own_queue_and_the_default_retry_policy() -> None:
    [declared] = webhooks(Web())

    assert (declared.name, declared.rules.queue) == ("webhook", "webhook")
    assert declared.rules.retry == RetryPolicy()
