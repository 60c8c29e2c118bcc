"""A mail as bytes: its headers, its text, and an id that stays."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from attrs import evolve

from jobmill.application.codec.mail import message_id, write_mail
from jobmill.application.ports.providers import Mail

from tests.unit.application.shipped.attempts import JOB_ID

MAIL = Mail(job_id=JOB_ID, key=str(JOB_ID), recipient="ada@example.com", subject="Hi", body="Hello")
AT = datetime(2030, 1, 31, 8, 30, tzinfo=UTC)


def read(mail: Mail) -> EmailMessage:
    content = write_mail(mail, sender="shop@example.org", at=AT)
    return message_from_bytes(content, policy=SMTP)


def test_the_headers_say_who_to_whom_what_and_when() -> None:
    message = read(MAIL)

    assert message["From"] == "shop@example.org"
    assert message["To"] == "ada@example.com"
    assert message["Subject"] == "Hi"
    assert message["Date"] == "Thu, 31 Jan 2030 08:30:00 +0000"
    assert message["Message-ID"] == f"<{JOB_ID}@example.org>"
    assert message.get_content() == "Hello\r\n"


def test_the_message_id_changes_with_the_edition_of_the_mail() -> None:
    edited = evolve(MAIL, key=f"{JOB_ID}:2")

    assert message_id(edited, sender="jobmill@localhost") == f"<{JOB_ID}.2@localhost>"


def test_any_language_and_any_length_arrive_in_seven_bits_and_short_lines() -> None:
    mail = evolve(MAIL, subject="Grüße 👨‍👩‍👧 " * 40, body="Grüße\n.\n" + "x" * 3_000 + "\r\nEnde")

    content = write_mail(mail, sender="shop@example.org", at=AT)

    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert read(mail)["Subject"] == mail.subject
    assert read(mail).get_content() == "Grüße\r\n.\r\n" + "x" * 3_000 + "\r\nEnde\r\n"


def test_short_text_of_any_language_is_seven_bits_too() -> None:
    assert write_mail(evolve(MAIL, body="Grüße"), sender="a@b", at=AT).isascii()


def test_an_empty_mail_is_one_too() -> None:
    message = read(evolve(MAIL, subject="", body=""))

    assert message["Subject"] == ""
    assert message.get_content().strip() == ""
