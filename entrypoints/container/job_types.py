"""The types of job a process knows: the shipped ones with their providers, and the user's own."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

from jobmill.adapters.system import SystemClock, SystemCrash, SystemEntropy
from jobmill.application.handlers import Registry
from jobmill.application.ports.providers import (
    EmailProvider,
    Mail,
    ProviderUnavailable,
    WebAnswer,
    WebClient,
    WebRequest,
)
from jobmill.application.shipped.emails import email_handlers
from jobmill.application.shipped.simulations import simulate_handlers
from jobmill.application.shipped.webhooks import webhook_handlers
from jobmill.entrypoints.loading import load_handlers
from jobmill.entrypoints.settings import Settings


@asynccontextmanager
async def open_registry(settings: Settings) -> AsyncGenerator[Registry]:
    """Open the providers of the shipped types and join those with the user's own."""
    # Here, since a command that only declares types would wait for these libraries to load.
    from jobmill.adapters.http_client import AddressGuard, open_web_client, parse_networks
    from jobmill.adapters.mail_outbox import MailOutbox
    from jobmill.adapters.smtp import open_smtp, parse_smtp_url

    clock = SystemClock()
    networks = parse_networks(settings.webhook_networks)
    guard = AddressGuard(allow_loopback=settings.is_local, networks=networks)
    async with AsyncExitStack() as stack:
        web = await stack.enter_async_context(open_web_client(version=version("jobmill"), guard=guard))
        email: EmailProvider = MailOutbox(folder=settings.home / "outbox", clock=clock)
        if settings.smtp_url is not None:
            server = parse_smtp_url(settings.smtp_url)
            email = await stack.enter_async_context(open_smtp(server, clock=clock))
        yield _joined(settings, email=email, web=web)


def declared_registry(settings: Settings) -> Registry:
    """Return the types for a process that checks payloads and runs no jobs: nothing is opened."""
    return _joined(settings, email=_NoProvider(), web=_NoProvider())


def _joined(settings: Settings, *, email: EmailProvider, web: WebClient) -> Registry:
    shipped = [
        email_handlers(email),
        webhook_handlers(web, clock=SystemClock()),
        simulate_handlers(entropy=SystemEntropy(), crash=SystemCrash()),
    ]
    return Registry([*shipped, *load_handlers(settings.handlers)])


class _NoProvider(EmailProvider, WebClient):
    """Stands where no job runs."""

    async def send(self, mail: Mail) -> Mapping[str, str]:
        """Refuse for now: a worker will send it."""
        raise ProviderUnavailable(f"this process sends no mail, not even for job {mail.job_id}")

    async def call(self, request: WebRequest) -> WebAnswer:
        """Refuse for now: a worker will call."""
        raise ProviderUnavailable(f"this process makes no {request.method} requests")
