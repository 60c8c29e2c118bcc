"""A few connections to one mail server, lent one mail at a time."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPException, SMTPHeloError, SMTPResponseException
from attrs import define

from jobmill.adapters.smtp.bounds import SmtpBounds
from jobmill.adapters.smtp.server import Security, SmtpServer
from jobmill.application.ports.providers import ProviderUnavailable


@define(eq=False)
class _Link:
    """One connection: how many mails it has carried, and since when (loop time) it is idle."""

    smtp: SMTP
    mails: int = 0
    idle_since_s: float = 0.0


class SmtpPool:
    """Connects when a mail needs it and keeps what still works for the next one."""

    def __init__(self, server: SmtpServer, *, bounds: SmtpBounds) -> None:
        self._server = server
        self._bounds = bounds
        self._places = asyncio.Semaphore(bounds.connections_max)
        self._idle: list[_Link] = []
        self._is_closed = False

    @asynccontextmanager
    async def lend(self) -> AsyncGenerator[SMTP]:
        """Lend a connection that is ready for a mail, for at most ``total_s``.

        Waiting for a place is not counted: the deadline of the attempt bounds it. If the block fails the
        connection is closed, since nobody knows what the server takes the next line for.

        Raises:
            ProviderUnavailable: there is no connection to be had.
            TimeoutError: the time is over.
        """
        async with self._places, asyncio.timeout(self._bounds.total_s):
            link = await self._used() or await self._connect()
            is_fit = False
            try:
                yield link.smtp
                is_fit = not self._is_closed
            finally:
                if is_fit:
                    self._keep(link)
                else:
                    link.smtp.close()

    async def close(self) -> None:
        """Say goodbye on every idle connection; those lent out are closed when they come back."""
        self._is_closed = True
        links, self._idle = self._idle, []
        await asyncio.gather(*(self._leave(link.smtp) for link in links))

    def _keep(self, link: _Link) -> None:
        link.mails += 1
        link.idle_since_s = asyncio.get_running_loop().time()
        if link.mails < self._bounds.mails_max:
            self._idle.append(link)
        else:
            link.smtp.close()

    async def _used(self) -> _Link | None:
        """The connection used last, if it lives. If not, those that are idle for longer are no better."""
        if not self._idle:
            return None
        link = self._idle.pop()
        if await self._lives(link):
            return link
        for other in [other for other in self._idle if other.idle_since_s <= link.idle_since_s]:
            self._idle.remove(other)
            other.smtp.close()
        return None

    async def _lives(self, link: _Link) -> bool:
        idle_s = asyncio.get_running_loop().time() - link.idle_since_s
        lives = False
        try:
            if idle_s <= self._bounds.idle_s and link.smtp.is_connected:
                await link.smtp.rset(timeout=self._bounds.connect_s)
                lives = True
        except (SMTPException, OSError):
            pass
        finally:
            if not lives:
                link.smtp.close()
        return lives

    async def _connect(self) -> _Link:
        server = self._server
        smtp = SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=_own_name(),
            timeout=self._bounds.total_s,
            use_tls=server.security is Security.TLS,
            start_tls=server.security is Security.STARTTLS,
            tls_context=server.tls,
        )
        is_ready = False
        try:
            await smtp.connect(timeout=self._bounds.connect_s)
            await _introduce(smtp)
            if server.username is not None:
                await self._log_in(smtp, server.username)
            is_ready = True
        except (SMTPException, OSError) as error:
            why = f"no connection to the mail server {server.place}: {_words(error)}"
            raise ProviderUnavailable(why) from error
        finally:
            if not is_ready:
                smtp.close()
        return _Link(smtp)

    async def _log_in(self, smtp: SMTP, username: str) -> None:
        try:
            await smtp.login(username, self._server.password)
        except (SMTPException, OSError) as error:
            # Not the server's words, nor an error that holds them: they may repeat what was sent to it.
            why = str(error.code) if isinstance(error, SMTPResponseException) else type(error).__name__
            refusal = f"the mail server {self._server.place} refused the login ({why})"
            raise ProviderUnavailable(refusal) from None

    async def _leave(self, smtp: SMTP) -> None:
        try:
            async with asyncio.timeout(self._bounds.close_s):
                await smtp.quit()
        except (SMTPException, OSError):
            pass  # it was only politeness
        finally:
            smtp.close()


async def _introduce(smtp: SMTP) -> None:
    """Do it here: the library would with the first mail, where a refusal would look like one of the mail."""
    if smtp.is_ehlo_or_helo_needed:
        try:
            await smtp.ehlo()
        except SMTPHeloError:
            await smtp.helo()


def _words(error: SMTPException | OSError) -> str:
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__


def _own_name() -> str:
    """What to call ourselves: a bare host name is refused by many servers, an address by none."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
