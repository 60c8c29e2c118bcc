"""The job type ``sms``: one text to one telephone."""

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from jobmill.application.codec.telephone import number_fault
from jobmill.application.handlers import JobContext, JobHandlers
from jobmill.application.ports.providers import TextMessage
from jobmill.application.shipped.field_faults import refuse
from jobmill.application.shipped.provider_chain import ProviderChain
from jobmill.application.shipped.recipients import one_of_names

#: What providers put together from parts at most.
TEXT_CHARS_MAX: Final = 1_600


@frozen(kw_only=True)
class Sms:
    """A text; its number is given as recipient, to or phone, its words as message or body.

    A subject is accepted, for those who send the same to several channels, and not used.
    """

    recipient: str | None = None
    to: str | None = None
    phone: str | None = None
    message: str | None = None
    body: str | None = None
    subject: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot become a text."""
        refuse(self._faults())

    @property
    def number(self) -> str:
        """The one number, under whichever name it came."""
        return next(each for each in (self.recipient, self.to, self.phone) if each is not None)

    @property
    def words(self) -> str:
        """The words, under whichever name they came."""
        return next(each for each in (self.message, self.body) if each is not None)

    def _faults(self) -> Iterator[str]:
        numbers = {"recipient": self.recipient, "to": self.to, "phone": self.phone}
        yield from one_of_names(numbers, what="the number to send to")
        for name, number in numbers.items():
            if number is not None and (fault := number_fault(number)):
                yield f"'{name}' {fault}"
        words = {"message": self.message, "body": self.body}
        yield from one_of_names(words, what="the text")
        for name, text in words.items():
            if text is not None and not 1 <= len(text) <= TEXT_CHARS_MAX:
                yield f"'{name}' must have 1 to {TEXT_CHARS_MAX:,} characters, not {len(text):,}"


def sms_handlers(chain: ProviderChain[TextMessage]) -> JobHandlers:
    """Return the type ``sms``; its result says which provider took the text, and under which id."""
    handlers = JobHandlers()

    @handlers.register("sms", queue="sms")
    async def send_text(sms: Sms, job: JobContext) -> dict[str, str]:
        text = TextMessage(key=job.idempotency_key, recipient=sms.number, body=sms.words)
        taken = await chain.send(text, attempt=job.attempt)
        return {"provider": taken.provider, **taken.answer}

    return handlers
