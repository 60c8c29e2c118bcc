"""The provider of mail that speaks SMTP."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiosmtplib.errors import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from attrs import frozen

from jobmill.adapters.smtp.bounds import SmtpBounds
from jobmill.adapters.smtp.pool import SmtpPool
from jobmill.adapters.smtp.server import SmtpServer
from jobmill.application.codec.mail import message_id, write_mail
from jobmill.application.ports.clock import Clock
from jobmill.application.ports.providers import EmailProvider, Mail, ProviderRefused, ProviderUnavailable

#: Replies from here on mean never; those of 400 mean later (RFC 5321).
_NEVER: Final = 500


@frozen(kw_only=True)
class SmtpMailer(EmailProvider):
    """Hands mails to a server; a mail counts as sent when the server says that it took it."""

    server: SmtpServer
    pool: SmtpPool
    clock: Clock
    bounds: SmtpBounds

    async def send(self, mail: Mail, /) -> Mapping[str, str]:
        """Return the server and the message id."""
        sender = self.server.sender
        content = write_mail(mail, sender=sender, at=self.clock.now())
        is_sending = False
        try:
            async with self.pool.lend() as smtp:
                is_sending = True  # from here on a lost answer may have been the one to the mail itself
                await smtp.sendmail(sender, [mail.recipient], content)
        except SMTPRecipientsRefused as error:
            raise self._refusal(error.recipients[0]) from error
        except SMTPResponseException as error:
            raise self._refusal(error) from error
        except TimeoutError as error:
            late = (
                f"the mail server {self.server.place} did not take the mail within {self.bounds.total_s:g} s"
            )
            raise ProviderUnavailable(late, in_doubt=is_sending) from error
        except (SMTPException, OSError) as error:
            broken = f"the connection to the mail server {self.server.place} broke: {error}"
            raise ProviderUnavailable(broken, in_doubt=is_sending) from error
        return {"smtp": self.server.place, "message_id": message_id(mail, sender=sender)}

    def _refusal(self, reply: SMTPResponseException) -> ProviderRefused | ProviderUnavailable:
        said = f"the mail server {self.server.place} answered {reply.code} {reply.message}"
        return ProviderRefused(said) if reply.code >= _NEVER else ProviderUnavailable(said)


@asynccontextmanager
async def open_smtp(
    server: SmtpServer,
    *,
    clock: Clock,
    bounds: SmtpBounds = SmtpBounds(),  # noqa: B008 - a frozen value
) -> AsyncGenerator[SmtpMailer]:
    """Open a mailer; the first mail connects, and leaving the block says goodbye."""
    pool = SmtpPool(server, bounds=bounds)
    try:
        yield SmtpMailer(server=server, pool=pool, clock=clock, bounds=bounds)
    finally:
        await pool.close()
