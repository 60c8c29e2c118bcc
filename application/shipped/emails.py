"""The job type ``email``: one mail to one address."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import frozen

from jobmill.application.codec.mail import address_fault, is_one_line
from jobmill.application.handlers import JobContext, JobHandlers, PermanentFailure
from jobmill.application.ports.providers import Mail
from jobmill.application.ports.templates import Templates
from jobmill.application.shipped.field_faults import refuse
from jobmill.application.shipped.filling_in import NoTemplates, filled_in, template_faults
from jobmill.application.shipped.provider_chain import ProviderChain

#: The longest line that mail knows; a longer subject is none.
SUBJECT_CHARS_MAX: Final = 998


@frozen(kw_only=True)
class Email:
    """A mail; its address is given either as recipient or as to.

    Args:
        template: the name of one that is filled in with ``values`` instead of the body, and of the subject
            if there is none.
    """

    recipient: str | None = None
    to: str | None = None
    subject: str = ""
    body: str = ""
    template: str | None = None
    values: Mapping[str, Any] | None = None

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
        yield from template_faults(self.template, self.values, words={"body": self.body or None})


def email_handlers(
    chain: ProviderChain[Mail],
    templates: Templates = NoTemplates(),  # noqa: B008 - a frozen value
) -> JobHandlers:
    """Return the type ``email``; its result says where the mail went."""
    handlers = JobHandlers()

    @handlers.register("email", queue="email")
    async def send_email(email: Email, job: JobContext) -> dict[str, str]:
        subject, body = await _words(email, templates)
        mail = Mail(
            job_id=job.job_id,
            key=job.idempotency_key,
            recipient=email.address,
            subject=subject,
            body=body,
        )
        return (await chain.send(mail, attempt=job.attempt)).answer

    handlers.heed("email", chain.outlook)
    return handlers


async def _words(email: Email, templates: Templates) -> tuple[str, str]:
    """Return subject and body, from the template if the mail names one."""
    if email.template is None:
        return email.subject, email.body
    text = await filled_in(templates, email.template, email.values)
    subject = email.subject or text.subject or ""
    if not is_one_line(subject) or len(subject) > SUBJECT_CHARS_MAX:
        wanted = f"one line of at most {SUBJECT_CHARS_MAX} characters"
        raise PermanentFailure(f"the template {email.template} gives a subject that is not {wanted}")
    return subject, text.body
