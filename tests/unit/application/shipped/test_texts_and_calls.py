"""The job types ``sms`` and ``call``: what they take, what they hand to the provider."""

import pytest

from jobmill.application.handlers import JobHandlers
from jobmill.application.ports.providers import PhoneCall, TextMessage
from jobmill.application.shipped import call_handlers, sms_handlers
from jobmill.domain.retry_policy import RetryPolicy

from tests.unit.application.shipped.attempts import JOB_ID, faults_of, run_one
from tests.unit.application.shipped.providers import Recorder, alone

NUMBER = "+15550100123"
KEY = str(JOB_ID)


def sms(recorder: Recorder[TextMessage] | None = None) -> JobHandlers:
    return sms_handlers(alone(recorder or Recorder()))


def calls(recorder: Recorder[PhoneCall] | None = None) -> JobHandlers:
    return call_handlers(alone(recorder or Recorder()))


@pytest.mark.parametrize("number", ["recipient", "to", "phone"])
@pytest.mark.parametrize("words", ["message", "body"])
async def test_a_text_goes_to_the_provider_by_whichever_names_it_came(number: str, words: str) -> None:
    recorder = Recorder[TextMessage]()

    result = await run_one(sms(recorder), {number: NUMBER, words: "Hello", "subject": "unused"})

    assert recorder.taken == [TextMessage(key=KEY, recipient=NUMBER, body="Hello")]
    assert result == {"provider": "the provider", "id": "7"}


@pytest.mark.parametrize(
    ("payload", "places"),
    [
        ({}, ["/recipient", "/message"]),
        ({"to": NUMBER, "phone": NUMBER, "body": "x"}, ["/phone"]),
        ({"to": NUMBER, "body": "x", "message": "x"}, ["/body"]),
        ({"to": NUMBER, "body": ""}, ["/body"]),
        ({"to": NUMBER, "body": "x" * 1_601}, ["/body"]),
        ({"to": NUMBER, "body": "x", "from": NUMBER}, ["/from"]),
    ],
)
def test_a_text_has_one_number_and_one_body(payload: dict[str, object], places: list[str]) -> None:
    assert list(faults_of(sms(), payload)) == places


@pytest.mark.parametrize(
    "number",
    [
        "",
        "15550100123",
        "+0550100123",
        "+123456",
        "+1234567890123456",
        "+1 555 0100123",
        "+1555010012a",
        "+15550100123\n",
        "+١٥٥٥٠١٠٠١٢٣",
        "tel:+15550100123",
    ],
)
def test_what_is_no_international_number_is_refused(number: str) -> None:
    assert list(faults_of(sms(), {"to": number, "body": "x"})) == ["/to"]
    assert list(faults_of(calls(), {"call_id": "1", "phone_number": number})) == ["/phone_number"]


@pytest.mark.parametrize("number", ["+1234567", "+123456789012345", NUMBER])
def test_seven_to_fifteen_digits_are_a_number(number: str) -> None:
    assert faults_of(sms(), {"to": number, "body": "x"}) == {}


async def test_a_call_goes_to_the_provider_and_its_id_is_in_the_result() -> None:
    recorder = Recorder[PhoneCall]()
    payload = {
        "call_id": "c-7",
        "phone_number": NUMBER,
        "attempt": 1,
        "timestamp": "2030-01-31T08:00:00Z",
        "message": "Hello",
    }

    result = await run_one(calls(recorder), payload)

    assert recorder.taken == [PhoneCall(key=KEY, recipient=NUMBER, call_id="c-7", words="Hello")]
    assert result == {"provider": "the provider", "call_id": "c-7", "id": "7"}


async def test_a_call_needs_an_id_and_a_number_and_no_more() -> None:
    recorder = Recorder[PhoneCall]()

    await run_one(calls(recorder), {"call_id": "c-7", "phone_number": NUMBER})

    assert recorder.taken[0].words is None
    assert list(faults_of(calls(), {})) == ["/call_id", "/phone_number"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("call_id", ""),
        ("call_id", "x" * 101),
        ("call_id", "a\u2028b"),
        ("attempt", -1),
        ("timestamp", "2030-01-31T08:00:00"),
        ("message", ""),
        ("message", "x" * 601),
    ],
)
def test_a_calls_fields_have_their_ranges(field: str, value: object) -> None:
    payload = {"call_id": "c-7", "phone_number": NUMBER, field: value}

    assert list(faults_of(calls(), payload)) == [f"/{field}"]


@pytest.mark.parametrize(("handlers", "name"), [(sms(), "sms"), (calls(), "call")])
def test_each_has_its_own_queue_and_the_default_retry_policy(handlers: JobHandlers, name: str) -> None:
    [declared] = handlers

    assert (declared.name, declared.rules.queue) == (name, name)
    assert declared.rules.retry == RetryPolicy()
