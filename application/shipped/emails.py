"""The job type ``email``: one mail to one address."""

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from jobmill.application.codec.mail import address_fault, is_one_line
from jobmill.application.handlers import JobContext, JobHandlers
from jobmill.application.ports.providers import Mail
from jobmill.application.shipped.field_faults import refuse
from jobmill.application.shipped.provider_chain import ProviderChain

#: The longest line that mail knows; a longer subject is none.
SUBJECT_CHARS_MAX: Final = 998


@frozen(kw_only=True)
class Email:
    """A mail; its address is given either as recipient or as to."""

    recipient: str | None = None
    to: str | None = None
    subject: str = ""
    body: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot become a mail."""
        refuse(self._faults())

    @property
    def address(self) -> str:
        """The one address, under whichever name it came."""
        address = self.recipient if self.to is None else self.to
        assert address is not None
        return address

    def _faults(self) -> Iterator[str]:
        if self.recipient is None and self.to is None:
            yield "'recipient' is required: the address to send to; it may be called to as well"
        if self.recipient is not None and self.to is not None:
            yield "'to' means the same as recipient: give one of them"
        for name, address in (("recipient", self.recipient), ("to", self.to)):
            if address is not None and (fault := address_fault(address)):
                yield f"'{name}' {fault}"
        if len(self.subject) > SUBJECT_CHARS_MAX:
            yield f"'subject' must have at most {SUBJECT_CHARS_MAX} characters, not {len(self.subject)}"
        if not is_one_line(self.subject):
            yield "'subject' must not hold line breaks or other control characters"


def email_handlers(chain: ProviderChain[Mail]) -> JobHandlers:
    """Return the type ``email``; its result says where the mail went."""
    handlers = JobHandlers()

    @handlers.register("email", queue="email")
    async def send_email(email: Email, job: JobContext) -> dict[str, str]:
        mail = Mail(
            job_id=job.job_id,
            key=job.idempotency_key,
            recipient=email.address,
            subject=email.subject,
            body=email.body,
        )
        return (await chain.send(mail, attempt=job.attempt)).answer

    return handlers
