"""Mails and mailers for tests."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from jobmill.adapters.memory.clocks import ManualClock
from jobmill.adapters.smtp import SmtpBounds, SmtpMailer, open_smtp, parse_smtp_url
from jobmill.application.ports.providers import Mail

from tests.builders import NOW, an_id
from tests.integration.providers.mail_server import MailServer


def a_mail(*, job_id: UUID | None = None, body: str = "Hello", **wishes: Any) -> Mail:
    """A mail to Ada, with whatever the test names."""
    job_id = job_id or an_id()
    usual = {"key": str(job_id), "recipient": "ada@example.com", "subject": "Hi"}
    return Mail(job_id=job_id, body=body, **(usual | wishes))


@asynccontextmanager
async def a_mailer(
    server: MailServer,
    *,
    scheme: str = "smtp",
    host: str = "127.0.0.1",
    login: str = "",
    options: str = "",
    **bounds: Any,
) -> AsyncGenerator[SmtpMailer]:
    """A mailer for the server, opened by an address."""
    url = f"{scheme}://{login}{host}:{server.port}{options}"
    smtp = open_smtp(parse_smtp_url(url), clock=ManualClock(time=NOW), bounds=SmtpBounds(**bounds))
    async with smtp as mailer:
        yield mailer
