"""What the shipped job types ask of the world: carry a message, call a web server, end the process."""

from collections.abc import Mapping
from datetime import timedelta
from typing import NoReturn, Protocol, TypeVar
from uuid import UUID

from attrs import field, frozen

from jobmill.domain.errors import JobmillError

M_contra = TypeVar("M_contra", contravariant=True)


class ProviderUnavailable(JobmillError):
    """The provider did not take it, or cannot be reached: a later attempt may succeed.

    Args:
        in_doubt: it may have been taken all the same, as where the answer to a whole request was lost.
        is_busy: the provider is well and asks to be left alone for now.
        retry_after: for how long it asks that, if it says so.
    """

    code = "provider-unavailable"

    def __init__(
        self,
        message: str,
        *,
        in_doubt: bool = False,
        is_busy: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        self.in_doubt = in_doubt
        self.is_busy = is_busy
        self.retry_after = retry_after
        super().__init__(message)


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


@frozen(kw_only=True)
class TextMessage:
    """A text for one telephone.

    Args:
        key: the same over all attempts, another once the text was edited.
        recipient: a number as ``number_fault`` of the codec accepts it.
        body: 1 to 1,600 characters.
    """

    key: str
    recipient: str = field(repr=False)
    body: str = field(repr=False)


@frozen(kw_only=True)
class PhoneCall:
    """A call to one telephone.

    Args:
        key, recipient: as of a ``TextMessage``.
        call_id: what the submitter calls it.
        words: what is said; None for what the provider was set up to say.
    """

    key: str
    recipient: str = field(repr=False)
    call_id: str
    words: str | None = field(default=None, repr=False)


@frozen(kw_only=True)
class PushTarget:
    """Where a browser takes messages, as its ``PushSubscription`` says.

    Args:
        endpoint: an https URL.
        p256dh, auth: its key and its secret, as bytes in base64 for URLs.
    """

    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)


@frozen(kw_only=True)
class PushMessage:
    """A message for one device.

    Args:
        key: as of a ``TextMessage``; a device shows one message of a key.
        target: a device's token, or a browser's subscription.
    """

    key: str
    target: str | PushTarget = field(repr=False)
    title: str = field(repr=False)
    body: str = field(repr=False)


class Carrier(Protocol[M_contra]):
    """Carries messages of one kind; each send ends within a bounded time once it has begun.

    A message may be sent again under the same key, after an attempt whose end nobody knows.
    """

    async def send(self, message: M_contra, /) -> Mapping[str, str]:
        """Return where the message went, for the job's result, once the provider has taken it.

        Raises:
            ProviderUnavailable: it was not taken now, or nobody knows.
            ProviderRefused: it will never be taken, by any provider.
        """
        ...


#: Carries mails.
EmailProvider = Carrier[Mail]


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
        body: as much of it as was read; there may have been more.
        retry_after, location: the headers of that name, as they came.
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    retry_after: str | None = None
    location: str | None = field(default=None, repr=False)

    @property
    def body_bytes(self) -> int:
        """How much of the body was read."""
        return len(self.body)


class WebClient(Protocol):
    """Calls web servers of strangers: follows no redirect, and reaches no address it must not.

    The answer is read up to a bound; each call ends within a bounded time once it has begun.
    """

    async def call(self, request: WebRequest) -> WebAnswer:
        """Return the server's answer, whatever its status.

        Raises:
            ProviderUnavailable: no answer, or an incomplete one; in doubt if the request may have arrived.
            ProviderRefused: the request cannot be made, or its address is not allowed.
        """
        ...


class Crash(Protocol):
    """The sudden end of the process, as by a kill."""

    def __call__(self) -> NoReturn:
        """End it: no handler, no clean-up, nothing flushed."""
        ...
