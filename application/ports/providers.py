"""What the shipped job types ask of the world: carry a mail, call a web server, end the process."""

from collections.abc import Mapping
from typing import NoReturn, Protocol
from uuid import UUID

from attrs import field, frozen

from jobmill.domain.errors import JobmillError


class ProviderUnavailable(JobmillError):
    """The provider did not take it, or cannot be reached: a later attempt may succeed."""

    code = "provider-unavailable"


class ProviderRefused(JobmillError):
    """The provider will never take it, or must not be asked: no further attempt can help."""

    code = "provider-refused"


@frozen(kw_only=True)
class Mail:
    """A mail to one recipient.

    Args:
        job_id: the job that sends it.
        key: the same over all attempts, another once the mail was edited.
        recipient: an address as ``address_fault`` of the codec accepts it.
        subject: one line.
    """

    job_id: UUID
    key: str
    recipient: str
    subject: str
    body: str = field(repr=False)


class EmailProvider(Protocol):
    """Carries mails; each send ends within a bounded time once it has begun.

    A mail may be sent again under the same key, after an attempt whose end nobody knows.
    """

    async def send(self, mail: Mail) -> Mapping[str, str]:
        """Return where the mail went, as the job's result, once the provider has taken it.

        Raises:
            ProviderUnavailable: it was not taken now, or nobody knows.
            ProviderRefused: it will never be taken.
        """
        ...


@frozen(kw_only=True)
class WebRequest:
    """One HTTP request.

    Args:
        url: http or https, in ASCII.
        headers: names in small letters.
        body: empty for none.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@frozen(kw_only=True)
class WebAnswer:
    """What a server said.

    Args:
        body_bytes: how much of the body was read; there may have been more.
        retry_after: the header of that name, as it came.
    """

    status: int
    body_bytes: int
    retry_after: str | None = None


class WebClient(Protocol):
    """Calls web servers of strangers: follows no redirect, and reaches no address it must not.

    The answer is read up to a bound; each call ends within a bounded time once it has begun.
    """

    async def call(self, request: WebRequest) -> WebAnswer:
        """Return the server's answer, whatever its status.

        Raises:
            ProviderUnavailable: no answer, or an incomplete one. The request may have arrived.
            ProviderRefused: the request cannot be made, or its address is not allowed.
        """
        ...


class Crash(Protocol):
    """The sudden end of the process, as by a kill."""

    def __call__(self) -> NoReturn:
        """End it: no handler, no clean-up, nothing flushed."""
        ...
