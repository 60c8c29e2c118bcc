"""The job type ``push``: one message to one device or browser."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import frozen

from jobmill.application.handlers import JobContext, JobHandlers
from jobmill.application.ports.providers import PushMessage, PushTarget
from jobmill.application.ports.templates import Templates
from jobmill.application.shipped.field_faults import refuse
from jobmill.application.shipped.filling_in import NoTemplates, checked, filled_in, template_faults
from jobmill.application.shipped.provider_chain import ProviderChain
from jobmill.application.shipped.recipients import one_of_names
from jobmill.application.shipped.webhook_rules import url_fault

TITLE_CHARS_MAX: Final = 200
BODY_CHARS_MAX: Final = 3_000
_TOKEN: Final = re.compile(r"[!-~]{1,4096}")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{86,87}={0,2}")  # 65 bytes in base64
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{22}={0,2}")  # 16 bytes


@frozen(kw_only=True)
class SubscriptionKeys:
    """What a browser shares for encryption, in base64 for URLs."""

    p256dh: str
    auth: str


@frozen(kw_only=True)
class Subscription:
    """A browser's subscription, as its ``PushSubscription.toJSON()`` gives it."""

    endpoint: str
    keys: SubscriptionKeys
    expirationTime: float | None = None  # noqa: N815 - the browser's own name

    def faults(self) -> Iterator[str]:
        """Say what is wrong with it."""
        if fault := url_fault(self.endpoint):
            yield f"'recipient' has an endpoint that {fault}"
        elif urlsplit(self.endpoint).scheme != "https":
            yield "'recipient' has an endpoint that must begin with https://"
        if not _KEY.fullmatch(self.keys.p256dh):
            yield "'recipient' has keys.p256dh that must be 65 bytes in base64 for URLs"
        if not _SECRET.fullmatch(self.keys.auth):
            yield "'recipient' has keys.auth that must be 16 bytes in base64 for URLs"


@frozen(kw_only=True)
class Push:
    """A message; its headline is given as title or as subject.

    Args:
        recipient: a device's token, or a browser's subscription.
        template: the name of one that is filled in with ``values`` instead of the body, and of the headline
            if there is none.
    """

    recipient: str | Subscription
    title: str | None = None
    subject: str | None = None
    body: str = ""
    template: str | None = None
    values: Mapping[str, Any] | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot become a message."""
        refuse(self._faults())

    @property
    def target(self) -> str | PushTarget:
        """Where it goes."""
        if isinstance(self.recipient, str):
            return self.recipient
        keys = self.recipient.keys
        return PushTarget(endpoint=self.recipient.endpoint, p256dh=keys.p256dh, auth=keys.auth)

    def _faults(self) -> Iterator[str]:
        if isinstance(self.recipient, Subscription):
            yield from self.recipient.faults()
        elif not _TOKEN.fullmatch(self.recipient):
            yield "'recipient' must be a device's token, ASCII without spaces, or a browser's subscription"
        headlines = {"title": self.title, "subject": self.subject}
        if self.template is None or (self.title is not None and self.subject is not None):
            yield from one_of_names(headlines, what="the headline")
        yield from template_faults(self.template, self.values, words={"body": self.body or None})
        for name, text in headlines.items():
            if text is not None and not 1 <= len(text) <= TITLE_CHARS_MAX:
                yield f"'{name}' must have 1 to {TITLE_CHARS_MAX} characters, not {len(text):,}"
        if len(self.body) > BODY_CHARS_MAX:
            yield f"'body' must have at most {BODY_CHARS_MAX:,} characters, not {len(self.body):,}"


def push_handlers(
    chain: ProviderChain[PushMessage],
    templates: Templates = NoTemplates(),  # noqa: B008 - a frozen value
) -> JobHandlers:
    """Return the type ``push``; its result says which provider took the message, and under which id."""
    handlers = JobHandlers()

    @handlers.register("push", queue="push")
    async def send_push(push: Push, job: JobContext) -> dict[str, str]:
        title, body = await _words(push, templates)
        message = PushMessage(key=job.idempotency_key, target=push.target, title=title, body=body)
        taken = await chain.send(message, attempt=job.attempt)
        return {"provider": taken.provider, **taken.answer}

    handlers.heed("push", chain.outlook)
    return handlers


async def _words(push: Push, templates: Templates) -> tuple[str, str]:
    """Return headline, under whichever name it came, and body, from the template if the message names one."""
    given = push.subject if push.title is None else push.title
    if push.template is None:
        assert given is not None
        return given, push.body
    text = await filled_in(templates, push.template, push.values)
    title = text.subject or "" if given is None else given
    name, body = push.template, text.body.strip()
    return (
        checked(title, template=name, what="a headline", chars_max=TITLE_CHARS_MAX),
        checked(body, template=name, what="a body", chars_max=BODY_CHARS_MAX),
    )
