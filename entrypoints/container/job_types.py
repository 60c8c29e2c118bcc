"""The types of job a process knows: the shipped ones with their providers, and the user's own."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, TypeVar

from attrs import field, frozen

from jobmill.adapters.system import SystemClock, SystemCrash, SystemEntropy
from jobmill.application.errors import WrongAddress
from jobmill.application.handlers import Registry
from jobmill.application.open_guard import OpenGuard
from jobmill.application.ports.guard import ProviderGuard
from jobmill.application.ports.providers import (
    Carrier,
    Mail,
    PhoneCall,
    ProviderUnavailable,
    PushMessage,
    TextMessage,
    WebAnswer,
    WebClient,
    WebRequest,
)
from jobmill.application.ports.templates import Templates
from jobmill.application.provider_limits import OnOpen
from jobmill.application.shipped.calls import call_handlers
from jobmill.application.shipped.emails import email_handlers
from jobmill.application.shipped.filling_in import NoTemplates
from jobmill.application.shipped.provider_chain import Choice, OnDoubt, ProviderChain
from jobmill.application.shipped.pushes import push_handlers
from jobmill.application.shipped.simulations import simulate_handlers
from jobmill.application.shipped.texts import sms_handlers
from jobmill.application.shipped.webhook_signing import SigningSecrets, parse_secrets
from jobmill.application.shipped.webhooks import webhook_handlers
from jobmill.entrypoints.container.chains import Offer, open_chain
from jobmill.entrypoints.loading import load_handlers
from jobmill.entrypoints.settings import PREFIX, Settings

M = TypeVar("M")

_SIMULATED: Final = ("simulate://",)
#: Stands for the mails' own default.
_OUTBOX: Final = ("",)


@frozen(kw_only=True)
class _Shipped:
    """What the shipped types stand on."""

    mails: ProviderChain[Mail]
    texts: ProviderChain[TextMessage]
    calls: ProviderChain[PhoneCall]
    pushes: ProviderChain[PushMessage]
    web: WebClient
    templates: Templates = NoTemplates()
    secrets: SigningSecrets = field(factory=dict, repr=False)


@asynccontextmanager
async def open_registry(
    settings: Settings,
    *,
    guard: ProviderGuard = OpenGuard(),  # noqa: B008 - a frozen value
) -> AsyncGenerator[Registry]:
    """Open the providers of the shipped types and join those with the user's own.

    Raises:
        WrongAddress: a provider's address cannot be used; the message names the setting.
    """
    # Here, since a command that only declares types would wait for its libraries to load.
    from jobmill.entrypoints.container.carriers import open_carriers

    async with AsyncExitStack() as stack:
        carriers = await open_carriers(settings, stack)

        async def chain(
            kind: str, setting: str, urls: Sequence[str], opened: Callable[[str], Awaitable[Offer[M]]]
        ) -> ProviderChain[M]:
            try:
                harmless = kind in ("email", "push")
                return await open_chain(kind, urls, opened, guard=guard, doubles_are_harmless=harmless)
            except WrongAddress as error:
                raise WrongAddress(f"{PREFIX}{setting}: {error}") from None

        yield _joined(
            settings,
            _Shipped(
                mails=await chain("email", "SMTP_URL", settings.smtp_url or _OUTBOX, carriers.for_mails),
                texts=await chain("sms", "SMS_URL", settings.sms_url or _SIMULATED, carriers.for_texts),
                calls=await chain("call", "CALL_URL", settings.call_url or _SIMULATED, carriers.for_calls),
                pushes=await chain("push", "PUSH_URL", settings.push_url or _SIMULATED, carriers.for_pushes),
                web=carriers.strangers,
                templates=carriers.templates(),
                secrets=parse_secrets(settings.webhook_secrets) if settings.webhook_secrets else {},
            ),
        )


def declared_registry(settings: Settings) -> Registry:
    """Return the types for a process that checks payloads and runs no jobs: nothing is opened."""
    nobody = _NoProvider()
    choice = Choice[Any](name="nobody", carrier=nobody, on_open=OnOpen.WAIT, on_doubt=OnDoubt.RETRY)
    chain = ProviderChain[Any](choices=(choice,), guard=OpenGuard())
    return _joined(settings, _Shipped(mails=chain, texts=chain, calls=chain, pushes=chain, web=nobody))


def _joined(settings: Settings, shipped: _Shipped) -> Registry:
    collections = [
        call_handlers(shipped.calls),
        email_handlers(shipped.mails, shipped.templates),
        push_handlers(shipped.pushes, shipped.templates),
        simulate_handlers(entropy=SystemEntropy(), crash=SystemCrash()),
        sms_handlers(shipped.texts, shipped.templates),
        webhook_handlers(shipped.web, clock=SystemClock(), secrets=shipped.secrets),
    ]
    return Registry([*collections, *load_handlers(settings.handlers)])


class _NoProvider(WebClient, Carrier[object]):
    """Stands where no job runs."""

    async def send(self, message: object, /) -> Mapping[str, str]:
        """Refuse for now: a worker will send it."""
        raise ProviderUnavailable("this process sends nothing")

    async def call(self, request: WebRequest) -> WebAnswer:
        """Refuse for now: a worker will call."""
        raise ProviderUnavailable(f"this process makes no {request.method} requests")
