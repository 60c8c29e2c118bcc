"""The job type ``webhook``: one HTTP request that tells somebody of something."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from attrs import field, frozen

from jobmill.application.codec.strict_json import write_json
from jobmill.application.handlers import (
    JobContext,
    JobHandlers,
    PermanentFailure,
    RetryAfter,
    TransientFailure,
)
from jobmill.application.ports.clock import Clock
from jobmill.application.ports.providers import WebAnswer, WebClient, WebRequest
from jobmill.application.shipped.field_faults import refuse
from jobmill.application.shipped.provider_answers import named
from jobmill.application.shipped.provider_verdicts import provider_verdicts
from jobmill.application.shipped.retry_after import wait_asked_for
from jobmill.application.shipped.webhook_rules import header_faults, url_fault
from jobmill.application.shipped.webhook_signing import DEFAULT_SECRET, NAME, SigningSecrets, signatures

#: Beside all of 500 and above: the server asks for another try, or may answer one.
_WORTH_RETRYING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


@frozen(kw_only=True)
class Webhook:
    """A request to a web server; the body is sent as JSON.

    Args:
        secret: the name of the secret that signs it; without one ``default`` signs, if it is there.
    """

    url: str
    body: Any = None
    headers: Mapping[str, str] = field(factory=dict)
    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"] = "POST"
    secret: str | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot become a request."""
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        if fault := url_fault(self.url):
            yield f"'url' {fault}"
        yield from (f"'headers' {fault}" for fault in header_faults(self.headers))
        if self.method == "GET" and self.body is not None:
            yield "'body' cannot go with GET; use POST, or leave it out"
        if self.secret is not None and not NAME.fullmatch(self.secret):
            yield "'secret' must be the name of a secret, never the secret itself"


def webhook_handlers(
    client: WebClient, *, clock: Clock, secrets: SigningSecrets | None = None
) -> JobHandlers:
    """Return the type ``webhook``; its result is the status and how many bytes of the answer were read."""
    known = secrets or {}
    handlers = JobHandlers()

    @handlers.register("webhook", queue="webhook")
    async def call_webhook(hook: Webhook, job: JobContext) -> dict[str, int]:
        request = _request(hook, key=job.idempotency_key, now=clock.now(), secrets=_secrets_for(hook, known))
        with provider_verdicts():
            answer = await client.call(request)
        _judge(answer, host=urlsplit(hook.url).netloc, now=clock.now())
        return {"status": answer.status, "bytes": answer.body_bytes}

    return handlers


def _secrets_for(hook: Webhook, known: SigningSecrets) -> tuple[bytes, ...]:
    name = DEFAULT_SECRET if hook.secret is None else hook.secret
    if name not in known and hook.secret is not None:
        raise PermanentFailure(f"this worker has no secret {name!r}: look at JOBMILL_WEBHOOK_SECRETS")
    return known.get(name, ())


def _request(hook: Webhook, *, key: str, now: datetime, secrets: tuple[bytes, ...]) -> WebRequest:
    """Name the request as Standard Webhooks do: the id lets the receiver drop what comes twice."""
    body = b"" if hook.body is None else write_json(hook.body).encode()
    content_type = {"content-type": "application/json"} if body else {}
    theirs = {name.lower(): value for name, value in hook.headers.items()}
    timestamp = int(now.timestamp())
    ours = {"webhook-id": key, "webhook-timestamp": str(timestamp)}
    if secrets:
        ours["webhook-signature"] = signatures(secrets, key=key, timestamp=timestamp, body=body)
    return WebRequest(method=hook.method, url=hook.url, headers=content_type | theirs | ours, body=body)


def _judge(answer: WebAnswer, *, host: str, now: datetime) -> None:
    """Pass a 2xx; raise what any other status means. The path is not repeated: it may hold a secret."""
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    said = f"{host} answered {named(status)}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _WORTH_RETRYING:
        wait = wait_asked_for(answer.retry_after, now=now)
        if wait is None:
            raise TransientFailure(said)
        raise RetryAfter(wait, said)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        said += "; redirects are not followed"
    raise PermanentFailure(said)
