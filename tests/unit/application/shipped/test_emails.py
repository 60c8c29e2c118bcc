"""The job type ``email``: what it takes, what it hands to the provider, what it makes of the answer."""

from collections.abc import Mapping

import pytest
from attrs import define, field

from jobmill.application.handlers import PermanentFailure, TransientFailure
from jobmill.application.ports.providers import EmailProvider, Mail, ProviderRefused, ProviderUnavailable
from jobmill.application.shipped import email_handlers
from jobmill.application.shipped.emails import Email
from jobmill.domain.retry_policy import RetryPolicy

from tests.unit.application.shipped.attempts import JOB_ID, an_attempt, faults_of, run_one
from tests.unit.application.shipped.providers import alone


@define
class Letterbox(EmailProvider):
    """Keeps the mails, or answers every one with ``trouble``."""

    trouble: Exception | None = None
    mails: list[Mail] = field(factory=list)

    async def send(self, mail: Mail, /) -> Mapping[str, str]:
        if self.trouble:
            raise self.trouble
        self.mails.append(mail)
        return {"outbox": "a letterbox"}


def what_is_wrong_with(**payload: object) -> dict[str, str]:
    return faults_of(email_handlers(alone(Letterbox())), payload)


async def test_a_mail_goes_to_the_provider_and_the_result_says_where_it_went() -> None:
    letterbox = Letterbox()
    payload = {"recipient": "ada@example.com", "subject": "Hi", "body": "Hello"}

    result = await run_one(email_handlers(alone(letterbox)), payload)

    assert result == {"outbox": "a letterbox"}
    assert letterbox.mails == [
        Mail(job_id=JOB_ID, key=str(JOB_ID), recipient="ada@example.com", subject="Hi", body="Hello")
    ]


async def test_the_address_may_be_called_to_and_the_rest_left_out() -> None:
    letterbox = Letterbox()

    await run_one(email_handlers(alone(letterbox)), {"to": "ada@example.com"})

    [mail] = letterbox.mails
    assert (mail.recipient, mail.subject, mail.body) == ("ada@example.com", "", "")


async def test_the_key_is_the_same_in_every_attempt_and_changes_with_the_edition() -> None:
    letterbox = Letterbox()
    handlers = email_handlers(alone(letterbox))

    for attempt in (an_attempt(), an_attempt(attempt=2), an_attempt(key=f"{JOB_ID}:1")):
        await run_one(handlers, {"to": "ada@example.com"}, attempt)

    assert [mail.key for mail in letterbox.mails] == [str(JOB_ID), str(JOB_ID), f"{JOB_ID}:1"]


async def test_an_unavailable_provider_is_worth_another_attempt() -> None:
    letterbox = Letterbox(trouble=ProviderUnavailable("the mail server is busy"))

    with pytest.raises(TransientFailure, match=r"^the provider: the mail server is busy$"):
        await run_one(email_handlers(alone(letterbox)), {"to": "ada@example.com"})


async def test_a_refusal_is_final() -> None:
    letterbox = Letterbox(trouble=ProviderRefused("nobody of that name"))

    with pytest.raises(PermanentFailure, match=r"^the provider: nobody of that name$"):
        await run_one(email_handlers(alone(letterbox)), {"to": "ada@example.com"})


def test_the_type_has_its_own_queue_and_the_default_retry_policy() -> None:
    [declared] = email_handlers(alone(Letterbox()))

    assert (declared.name, declared.rules.queue) == ("email", "email")
    assert declared.rules.retry == RetryPolicy()


def test_the_schema_names_every_field() -> None:
    [declared] = email_handlers(alone(Letterbox()))

    schema = declared.schema.components["Email"]

    assert isinstance(schema, dict)
    assert list(schema["properties"]) == ["recipient", "to", "subject", "body", "template", "values"]
    assert schema["properties"]["subject"] == {"type": "string", "default": ""}
    assert schema["additionalProperties"] is False
    assert not schema.get("required")


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com",
        "ada+news@mail.example.com",
        "o'neil@localhost",
        "first.last@xn--bcher-kva.example",
        "a" * 64 + "@" + ".".join(["b" * 63, "c" * 63, "d" * 61]),
    ],
)
def test_a_bare_address_is_taken(address: str) -> None:
    assert what_is_wrong_with(recipient=address) == {}
    assert Email(to=address).address == address


@pytest.mark.parametrize(
    ("address", "because"),
    [
        ("", "one @"),
        ("ada", "one @"),
        ("ada@home@work", "one @"),
        ("ada@example.com\r\nBcc: eve@example.com", "line breaks"),
        ("ada@example.com\n", "line breaks"),
        ("ada\x00@example.com", "control characters"),
        ("ada\u2028@example.com", "line breaks"),
        ("a" * 64 + "@" + "b." * 94 + "com", "at most 254 characters, not 256"),
        ("Ada <ada@example.com>", "without spaces, names or brackets"),
        ("ada@example.com,eve@example.org", "one @"),
        ("ada,eve@example.com", "without spaces"),
        ("ada lovelace@example.com", "without spaces"),
        ('"ada"@example.com', "without spaces"),
        ("@example.com", "bare address"),
        ("ada@", "bare address"),
        ("ada@-example.com", "bare address"),
        ("ada@example..com", "bare address"),
        ("ada@bücher.example", "xn--"),
    ],
)
@pytest.mark.parametrize("name", ["recipient", "to"])
def test_anything_else_is_refused_by_name_and_reason(name: str, address: str, because: str) -> None:
    [(pointer, detail)] = what_is_wrong_with(**{name: address}).items()

    assert pointer == f"/{name}"
    assert because in detail


def test_an_address_is_required_and_one_is_enough() -> None:
    assert list(what_is_wrong_with(subject="Hi")) == ["/recipient"]
    assert list(what_is_wrong_with(recipient="ada@example.com", to="ada@example.com")) == ["/to"]


@pytest.mark.parametrize("subject", ["Hi\r\nBcc: eve@example.com", "Hi\n", "a\u2029b", "a\x85b", "a\tb"])
def test_a_subject_is_one_line(subject: str) -> None:
    assert list(what_is_wrong_with(to="ada@example.com", subject=subject)) == ["/subject"]


def test_a_subject_has_a_longest_length() -> None:
    assert what_is_wrong_with(to="ada@example.com", subject="x" * 998) == {}
    assert list(what_is_wrong_with(to="ada@example.com", subject="x" * 999)) == ["/subject"]


def test_all_faults_are_told_at_once() -> None:
    assert list(what_is_wrong_with(to="ada", subject="a\nb")) == ["/to", "/subject"]
    assert list(what_is_wrong_with(to=["ada@example.com"], cc="eve@example.com")) == ["/to", "/cc"]
