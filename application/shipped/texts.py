"""The job type ``sms``: one text to one telephone."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import frozen

from jobmill.application.codec.telephone import number_fault
from jobmill.application.handlers import JobContext, JobHandlers
from jobmill.application.ports.providers import TextMessage
from jobmill.application.ports.templates import Templates
from jobmill.application.shipped.field_faults import refuse
from jobmill.application.shipped.filling_in import NoTemplates, checked, filled_in, template_faults
from jobmill.application.shipped.provider_chain import ProviderChain
from jobmill.application.shipped.recipients import one_of_names

#: What providers put together from parts at most.
TEXT_CHARS_MAX: Final = 1_600


@frozen(kw_only=True)
class Sms:
    """A text; its number is given as recipient, to or phone, its words as message or body.

    A subject is accepted, for those who send the same to several channels, and not used.

    Args:
        template: the name of one that is filled in with ``values`` instead of the words.
    """

    recipient: str | None = None
    to: str | None = None
    phone: str | None = None
    message: str | None = None
    body: str | None = None
    subject: str = ""
    template: str | None = None
    values: Mapping[str, Any] | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot become a text."""
        refuse(self._faults())

    @property
    def number(self) -> str:
        """The one number, under whichever name it came."""
        return next(each for each in (self.recipient, self.to, self.phone) if each is not None)

    def _faults(self) -> Iterator[str]:
        numbers = {"recipient": self.recipient, "to": self.to, "phone": self.phone}
        yield from one_of_names(numbers, what="the number to send to")
        for name, number in numbers.items():
            if number is not None and (fault := number_fault(number)):
                yield f"'{name}' {fault}"
        words = {"message": self.message, "body": self.body}
        if self.template is None:
            yield from one_of_names(words, what="the text")
        yield from template_faults(self.template, self.values, words=words)
        for name, text in words.items():
            if text is not None and not 1 <= len(text) <= TEXT_CHARS_MAX:
                yield f"'{name}' must have 1 to {TEXT_CHARS_MAX:,} characters, not {len(text):,}"


def sms_handlers(
    chain: ProviderChain[TextMessage],
    templates: Templates = NoTemplates(),  # noqa: B008 - a frozen value
) -> JobHandlers:
    """Return the type ``sms``; its result says which provider took the text, and under which id."""
    handlers = JobHandlers()

    @handlers.register("sms", queue="sms")
    async def send_text(sms: Sms, job: JobContext) -> dict[str, str]:
        words = await _words(sms, templates)
        text = TextMessage(key=job.idempotency_key, recipient=sms.number, body=words)
        taken = await chain.send(text, attempt=job.attempt)
        return {"provider": taken.provider, **taken.answer}

    handlers.heed("sms", chain.outlook)
    return handlers


async def _words(sms: Sms, templates: Templates) -> str:
    """Return the words, under whichever name they came, or from the template."""
    if sms.template is None:
        return next(each for each in (sms.message, sms.body) if each is not None)
    body = (await filled_in(templates, sms.template, sms.values)).body.strip()
    return checked(body, template=sms.template, what="a text", chars_max=TEXT_CHARS_MAX)
