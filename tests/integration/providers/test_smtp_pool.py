"""The connections to a mail server: few, used again, replaced when they are spent."""

import asyncio

import pytest

from jobmill.application.ports.providers import ProviderUnavailable

from tests.integration.providers.mail_server import HANG_UP, SILENCE, MailServer
from tests.integration.providers.mails import a_mail, a_mailer


async def test_one_connection_carries_many_mails(mail_server: MailServer) -> None:
    async with a_mailer(mail_server) as mailer:
        for _ in range(5):
            await mailer.send(a_mail())

    assert (mail_server.opened, len(mail_server.mails)) == (1, 5)


async def test_there_are_never_more_connections_than_allowed(mail_server: MailServer) -> None:
    mail_server.gate.clear()

    async with a_mailer(mail_server, connections_max=2) as mailer:
        sending = [asyncio.create_task(mailer.send(a_mail())) for _ in range(6)]
        await mail_server.waiting.acquire()
        await mail_server.waiting.acquire()
        open_at_once = mail_server.open_now
        mail_server.gate.set()
        await asyncio.gather(*sending)

    assert open_at_once == 2
    assert (mail_server.opened, len(mail_server.mails)) == (2, 6)


async def test_waiting_for_a_place_is_not_the_servers_time(mail_server: MailServer) -> None:
    mail_server.replies["MAIL"] = [SILENCE]

    async with a_mailer(mail_server, connections_max=1, total_s=0.3) as mailer:
        stuck = asyncio.create_task(mailer.send(a_mail()))
        behind = asyncio.create_task(mailer.send(a_mail()))
        await asyncio.wait([stuck, behind])

    assert isinstance(stuck.exception(), ProviderUnavailable)
    assert behind.exception() is None


async def test_a_connection_that_the_server_ended_is_replaced_unnoticed(mail_server: MailServer) -> None:
    async with a_mailer(mail_server) as mailer:
        await mailer.send(a_mail())
        mail_server.hang_up_on_everybody()
        await mailer.send(a_mail())

    assert (mail_server.opened, len(mail_server.mails)) == (2, 2)


@pytest.mark.parametrize("reply", ["421 idle for too long", "500 what?", HANG_UP, SILENCE])
async def test_a_connection_that_is_no_good_any_more_is_replaced(mail_server: MailServer, reply: str) -> None:
    mail_server.replies["RSET"] = [reply]

    async with a_mailer(mail_server, connect_s=0.3) as mailer:
        await mailer.send(a_mail())
        await mailer.send(a_mail())

    assert (mail_server.opened, len(mail_server.mails)) == (2, 2)


async def test_if_one_idle_connection_is_dead_the_others_are_not_tried(mail_server: MailServer) -> None:
    mail_server.gate.clear()
    async with a_mailer(mail_server) as mailer:
        sending = [asyncio.create_task(mailer.send(a_mail())) for _ in range(3)]
        for _ in sending:
            await mail_server.waiting.acquire()
        mail_server.gate.set()
        await asyncio.gather(*sending)
        mail_server.replies["RSET"] = ["421 restarting"]

        await mailer.send(a_mail())

    assert mail_server.verbs().count("RSET") == 1
    assert mail_server.opened == 4
    assert mail_server.verbs().count("QUIT") == 1


async def test_a_connection_is_not_used_for_ever(mail_server: MailServer) -> None:
    async with a_mailer(mail_server, mails_max=2) as mailer:
        for _ in range(5):
            await mailer.send(a_mail())

    assert mail_server.opened == 3


async def test_a_connection_that_is_spent_says_nothing_of_the_others(mail_server: MailServer) -> None:
    mail_server.gate.clear()
    async with a_mailer(mail_server, mails_max=2) as mailer:
        sending = [asyncio.create_task(mailer.send(a_mail())) for _ in range(2)]
        for _ in sending:
            await mail_server.waiting.acquire()
        mail_server.gate.set()
        await asyncio.gather(*sending)

        await mailer.send(a_mail())
        await mailer.send(a_mail())

    assert mail_server.opened == 2


async def test_a_connection_that_was_idle_for_too_long_is_not_used_again(mail_server: MailServer) -> None:
    async with a_mailer(mail_server, idle_s=-1.0) as mailer:
        await mailer.send(a_mail())
        await mailer.send(a_mail())

    assert mail_server.opened == 2
    assert "RSET" not in mail_server.verbs()


async def test_leaving_says_goodbye(mail_server: MailServer) -> None:
    async with a_mailer(mail_server) as mailer:
        await mailer.send(a_mail())

    assert mail_server.verbs()[-1] == "QUIT"


@pytest.mark.parametrize("reply", [SILENCE, HANG_UP, "500 what?"])
async def test_a_goodbye_without_an_answer_is_one(mail_server: MailServer, reply: str) -> None:
    mail_server.replies["QUIT"] = [reply]

    async with a_mailer(mail_server, close_s=0.05) as mailer:
        await mailer.send(a_mail())

    assert mail_server.verbs()[-1] == "QUIT"


async def test_a_mail_under_way_at_the_end_keeps_no_connection_open(mail_server: MailServer) -> None:
    mail_server.gate.clear()
    async with a_mailer(mail_server) as mailer:
        sending = asyncio.create_task(mailer.send(a_mail()))
        await mail_server.waiting.acquire()
    mail_server.gate.set()

    await sending

    await mail_server.everybody_left()
    assert "QUIT" not in mail_server.verbs()
