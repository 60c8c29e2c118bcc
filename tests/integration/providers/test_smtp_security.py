"""Logging in, encryption, and a password that is never shown."""

import base64
import traceback

import pytest

from jobmill.application.errors import SetupFault
from jobmill.application.ports.providers import ProviderUnavailable

from tests.integration.providers.certificates import Certificate
from tests.integration.providers.mail_server import HANG_UP, MailServer, serving
from tests.integration.providers.mails import a_mail, a_mailer

SECRET = "sword@fish"
LOGIN = "ada:sword%40fish@"
SENT = base64.b64encode(f"\0ada\0{SECRET}".encode()).decode()


async def test_a_user_logs_in_once_per_connection(mail_server: MailServer) -> None:
    mail_server.extensions = ["AUTH PLAIN"]

    async with a_mailer(mail_server, login=LOGIN) as mailer:
        await mailer.send(a_mail())
        await mailer.send(a_mail())

    assert [command for command in mail_server.commands if "AUTH" in command] == [f"AUTH PLAIN {SENT}"]
    assert len(mail_server.mails) == 2


@pytest.mark.parametrize(
    "reply", ["535 5.7.8 no", "454 later", "500 cannot read: {line}", "{line}", "250-{line}\r\nx", HANG_UP]
)
async def test_a_login_that_fails_shows_no_password_even_if_the_server_does(
    mail_server: MailServer, reply: str
) -> None:
    mail_server.extensions = ["AUTH PLAIN"]
    mail_server.replies["AUTH"] = [reply]

    async with a_mailer(mail_server, login=LOGIN) as mailer:
        with pytest.raises(ProviderUnavailable, match="refused the login") as failure:
            await mailer.send(a_mail())
        await mail_server.everybody_left()

    shown = "".join(traceback.format_exception(failure.value))
    assert SECRET not in shown
    assert SENT not in shown
    assert "MAIL" not in mail_server.verbs()


async def test_a_server_without_logins_gets_no_password(mail_server: MailServer) -> None:
    async with a_mailer(mail_server, login=LOGIN) as mailer:
        with pytest.raises(ProviderUnavailable, match="refused the login"):
            await mailer.send(a_mail())

    assert mail_server.verbs() == ["EHLO"]


def tls(certificate: Certificate) -> str:
    return f"?cafile={certificate.certificate}"


async def test_a_mail_travels_encrypted_from_the_first_byte(certificate: Certificate) -> None:
    async with (
        serving(MailServer(), tls=certificate.for_a_server()) as server,
        a_mailer(server, scheme="smtps", host="localhost", options=tls(certificate)) as mailer,
    ):
        await mailer.send(a_mail())

    assert len(server.mails) == 1


async def test_a_mail_travels_encrypted_after_starttls(certificate: Certificate) -> None:
    mail_server = MailServer(starttls=certificate.for_a_server(), extensions=["AUTH PLAIN"])
    async with (
        serving(mail_server) as server,
        a_mailer(
            server, scheme="smtp+starttls", host="localhost", login=LOGIN, options=tls(certificate)
        ) as mailer,
    ):
        await mailer.send(a_mail())

    assert server.verbs()[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert len(server.mails) == 1


async def test_without_starttls_nothing_is_said_in_the_open(
    mail_server: MailServer, certificate: Certificate
) -> None:
    mail_server.extensions = ["AUTH PLAIN"]
    address = {"scheme": "smtp+starttls", "host": "localhost", "login": LOGIN, "options": tls(certificate)}

    async with a_mailer(mail_server, **address) as mailer:
        with pytest.raises(ProviderUnavailable, match="STARTTLS"):
            await mailer.send(a_mail())

    assert mail_server.verbs() == ["EHLO"]


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    certificate: Certificate, scheme: str
) -> None:
    context = certificate.for_a_server()
    starts = scheme == "smtp+starttls"
    async with (
        serving(MailServer(starttls=context if starts else None), tls=None if starts else context) as server,
        a_mailer(server, scheme=scheme, host="localhost") as mailer,
    ):
        with pytest.raises(ProviderUnavailable, match="certificate"):
            await mailer.send(a_mail())

    assert server.mails == []


async def test_a_certificate_for_another_name_is_not_trusted(certificate: Certificate) -> None:
    async with (
        serving(MailServer(), tls=certificate.for_a_server()) as server,
        a_mailer(server, scheme="smtps", host="127.0.0.1", options=tls(certificate)) as mailer,
    ):
        with pytest.raises(ProviderUnavailable, match="certificate"):
            await mailer.send(a_mail())


async def test_a_certificate_file_that_is_none_is_told_at_the_start(mail_server: MailServer) -> None:
    with pytest.raises(SetupFault, match="cafile="):
        async with a_mailer(mail_server, scheme="smtps", options="?cafile=/nonexistent/ca.pem"):
            pass
