"""Sending a mail by SMTP: what arrives, and what each answer of the server means."""

import asyncio
import re

import pytest

from jobmill.application.ports.providers import ProviderRefused, ProviderUnavailable

from tests.integration.providers.mail_server import HANG_UP, SILENCE, MailServer
from tests.integration.providers.mails import a_mail, a_mailer


async def test_a_mail_arrives_and_the_result_says_where_it_went(mail_server: MailServer) -> None:
    mail = a_mail(body="Hello\n.\nEnd")

    async with a_mailer(mail_server, options="?from=shop+news@example.org") as mailer:
        result = await mailer.send(mail)

    assert result == {"smtp": f"127.0.0.1:{mail_server.port}", "message_id": f"<{mail.job_id}@example.org>"}
    assert "MAIL FROM:<shop+news@example.org>" in mail_server.commands
    assert "RCPT TO:<ada@example.com>" in mail_server.commands
    [content] = mail_server.mails
    assert b"From: shop+news@example.org\r\nTo: ada@example.com\r\nSubject: Hi\r\n" in content
    assert f"Message-ID: <{mail.job_id}@example.org>\r\n".encode() in content
    assert content.endswith(b"\r\n\r\nHello\r\n..\r\nEnd\r\n")


async def test_the_sender_is_jobmill_unless_the_address_names_another(mail_server: MailServer) -> None:
    async with a_mailer(mail_server) as mailer:
        await mailer.send(a_mail())

    assert "MAIL FROM:<jobmill@localhost>" in mail_server.commands


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "CONTENT"])
@pytest.mark.parametrize("reply", ["421 closing", "450 later", "451 4.7.1 greylisted"])
async def test_a_reply_of_400_means_later(mail_server: MailServer, verb: str, reply: str) -> None:
    mail_server.replies[verb] = [reply]

    async with a_mailer(mail_server) as mailer:
        with pytest.raises(ProviderUnavailable, match=re.escape(f":{mail_server.port} answered {reply}")):
            await mailer.send(a_mail())


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "CONTENT"])
@pytest.mark.parametrize("reply", ["550 5.1.1 nobody of that name", "552 too large", "554 spam"])
async def test_a_reply_of_500_means_never(mail_server: MailServer, verb: str, reply: str) -> None:
    mail_server.replies[verb] = [reply]

    async with a_mailer(mail_server) as mailer:
        with pytest.raises(ProviderRefused, match=re.escape(f":{mail_server.port} answered {reply}")):
            await mailer.send(a_mail())


@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT"])
async def test_a_server_that_hangs_up_may_be_back_later(mail_server: MailServer, verb: str) -> None:
    mail_server.replies[verb] = [HANG_UP]

    async with a_mailer(mail_server) as mailer:
        with pytest.raises(ProviderUnavailable):
            await mailer.send(a_mail())


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "CONTENT"])
async def test_a_server_that_falls_silent_is_not_waited_for(mail_server: MailServer, verb: str) -> None:
    mail_server.replies[verb] = [SILENCE]

    async with a_mailer(mail_server, total_s=0.1) as mailer:
        with pytest.raises(ProviderUnavailable, match=r"within 0\.1 s"):
            await mailer.send(a_mail())


@pytest.mark.parametrize("reply", [HANG_UP, SILENCE])
@pytest.mark.parametrize(("verb", "in_doubt"), [("GREETING", False), ("EHLO", False), ("CONTENT", True)])
async def test_a_mail_whose_answer_was_lost_may_have_been_taken(
    mail_server: MailServer, verb: str, in_doubt: bool, reply: str
) -> None:
    mail_server.replies[verb] = [reply]

    async with a_mailer(mail_server, total_s=0.3) as mailer:
        with pytest.raises(ProviderUnavailable) as lost:
            await mailer.send(a_mail())

    assert lost.value.in_doubt is in_doubt


async def test_a_server_that_does_not_greet_is_given_up_sooner(mail_server: MailServer) -> None:
    mail_server.replies["GREETING"] = [SILENCE]

    async with a_mailer(mail_server, connect_s=0.05) as mailer:
        with pytest.raises(ProviderUnavailable, match="no connection"):
            await mailer.send(a_mail())


@pytest.mark.parametrize("verb", ["GREETING", "EHLO"])
async def test_a_server_that_turns_everybody_away_says_nothing_of_the_mail(
    mail_server: MailServer, verb: str
) -> None:
    mail_server.replies = {verb: ["554 go away"], "HELO": ["554 go away"]}

    async with a_mailer(mail_server) as mailer:
        with pytest.raises(ProviderUnavailable, match=r"^no connection to .*: 554 go away$"):
            await mailer.send(a_mail())


@pytest.mark.parametrize("verb", ["GREETING", "MAIL", "CONTENT"])
async def test_a_server_that_speaks_something_else_may_mend_its_ways(
    mail_server: MailServer, verb: str
) -> None:
    mail_server.replies[verb] = ["HTTP/1.1 400 Bad Request"]

    async with a_mailer(mail_server) as mailer:
        with pytest.raises(ProviderUnavailable):
            await mailer.send(a_mail())


async def test_a_reply_without_end_is_not_kept(mail_server: MailServer) -> None:
    mail_server.replies["MAIL"] = ["250-" + "x" * 200_000 + "\r\n250 ok"]

    async with a_mailer(mail_server) as mailer:
        with pytest.raises(ProviderUnavailable, match="too long"):
            await mailer.send(a_mail())


async def test_where_nobody_listens_somebody_may_later(unused_tcp_port: int) -> None:
    async with a_mailer(MailServer(port=unused_tcp_port)) as mailer:
        with pytest.raises(ProviderUnavailable, match=f"no connection .*127.0.0.1:{unused_tcp_port}"):
            await mailer.send(a_mail())


async def test_after_any_trouble_the_next_mail_goes_out(mail_server: MailServer) -> None:
    mail_server.replies = {"MAIL": ["450 later"], "RCPT": ["550 never"], "DATA": [HANG_UP]}

    async with a_mailer(mail_server, connections_max=1) as mailer:
        for _ in range(3):
            with pytest.raises((ProviderUnavailable, ProviderRefused)):
                await mailer.send(a_mail())
        del mail_server.replies["DATA"]
        await mailer.send(a_mail())

    assert len(mail_server.mails) == 1


async def test_a_mail_that_is_cancelled_leaves_no_connection_behind(mail_server: MailServer) -> None:
    mail_server.gate.clear()

    async with a_mailer(mail_server, connections_max=1) as mailer:
        sending = asyncio.create_task(mailer.send(a_mail()))
        await mail_server.waiting.acquire()
        sending.cancel()
        await asyncio.wait([sending])
        mail_server.gate.set()
        await mailer.send(a_mail())

    assert sending.cancelled()
    assert mail_server.opened == 2
