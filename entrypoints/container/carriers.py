"""Which adapter carries for which address."""

from contextlib import AsyncExitStack
from importlib.metadata import version

from attrs import field, frozen

from jobmill.adapters.http_client import AddressGuard, open_web_client, parse_networks
from jobmill.adapters.mail_outbox import MailOutbox
from jobmill.adapters.simulated import SimulatedCarrier, read_simulation
from jobmill.adapters.smtp import open_smtp, parse_smtp_url
from jobmill.adapters.system import SystemClock, SystemEntropy
from jobmill.adapters.twilio import TwilioCalls, TwilioTexts, read_account
from jobmill.application.ports.providers import Mail, PhoneCall, PushMessage, TextMessage, WebClient
from jobmill.application.ports.templates import Templates
from jobmill.application.provider_urls import read_provider_url
from jobmill.application.shipped.filling_in import NoTemplates
from jobmill.entrypoints.container.chains import Offer
from jobmill.entrypoints.settings import Settings

SIMULATED = "simulate"


@frozen(kw_only=True)
class Carriers:
    """Opens carriers; they are closed with the stack.

    Args:
        servers: calls the addresses of the settings, wherever they lead.
        strangers: calls addresses that come with jobs, and none that is private.
    """

    settings: Settings
    stack: AsyncExitStack = field(repr=False)
    servers: WebClient
    strangers: WebClient
    clock: SystemClock = field(factory=SystemClock)
    entropy: SystemEntropy = field(factory=SystemEntropy)

    async def for_mails(self, url: str) -> Offer[Mail]:
        """Open what carries mails to an address; the empty one is the outbox."""
        if not url:
            folder = self.settings.home / "outbox"
            return Offer(name="outbox", carrier=MailOutbox(folder=folder, clock=self.clock))
        if simulated := self._simulated(url):
            return Offer(name=SIMULATED, carrier=simulated)
        server = parse_smtp_url(url)
        mailer = await self.stack.enter_async_context(open_smtp(server, clock=self.clock))
        return Offer(name=server.place, carrier=mailer)

    async def for_texts(self, url: str) -> Offer[TextMessage]:
        """Open what carries texts to an address."""
        if simulated := self._simulated(url):
            return Offer(name=SIMULATED, carrier=simulated)
        account = read_account(read_provider_url(url), calls=False)
        texts = TwilioTexts(account=account, web=self.servers, clock=self.clock)
        return Offer(name="twilio", carrier=texts)

    async def for_calls(self, url: str) -> Offer[PhoneCall]:
        """Open what places calls by an address."""
        if simulated := self._simulated(url):
            return Offer(name=SIMULATED, carrier=simulated)
        account = read_account(read_provider_url(url), calls=True)
        calls = TwilioCalls(account=account, web=self.servers, clock=self.clock)
        return Offer(name="twilio", carrier=calls)

    async def for_pushes(self, url: str) -> Offer[PushMessage]:
        """Open what carries messages to devices or to browsers, by an address."""
        if simulated := self._simulated(url):
            return Offer(name=SIMULATED, carrier=simulated)
        address = read_provider_url(url)
        if address.scheme == "webpush":
            from jobmill.adapters.web_push import WebPushes, read_sender  # cryptography is slow to load

            browsers = WebPushes(
                sender=read_sender(address), web=self.strangers, clock=self.clock, entropy=self.entropy
            )
            return Offer(name="webpush", carrier=browsers, carries=browsers.carries)
        from jobmill.adapters.fcm import AccessTokens, FcmPushes, read_service_account

        account = read_service_account(address)
        tokens = AccessTokens(account=account, web=self.servers, clock=self.clock)
        devices = FcmPushes(account=account, tokens=tokens, web=self.servers, clock=self.clock)
        return Offer(name="fcm", carrier=devices, carries=devices.carries)

    def templates(self) -> Templates:
        """Return the templates of the settings; raises ``WrongAddress`` if their folder is not there."""
        folder = self.settings.templates
        if folder is None:
            return NoTemplates()
        from jobmill.adapters.jinja import open_templates

        return open_templates(folder)

    def _simulated(self, url: str) -> SimulatedCarrier | None:
        if not url.startswith(f"{SIMULATED}:"):
            return None
        return read_simulation(read_provider_url(url), entropy=self.entropy)


async def open_carriers(settings: Settings, stack: AsyncExitStack) -> Carriers:
    """Open the web clients that carriers share.

    Raises:
        WrongAddress: the networks of the settings cannot be read.
    """
    guard = AddressGuard(allow_loopback=settings.is_local, networks=parse_networks(settings.webhook_networks))
    everywhere = AddressGuard(networks=parse_networks("0.0.0.0/0,::/0"))
    strangers = open_web_client(version=version("jobmill"), guard=guard)
    servers = open_web_client(version=version("jobmill"), guard=everywhere)
    return Carriers(
        settings=settings,
        stack=stack,
        servers=await stack.enter_async_context(servers),
        strangers=await stack.enter_async_context(strangers),
    )
