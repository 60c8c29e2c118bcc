"""What the answers of providers that speak HTTP mean. Nothing of their words is repeated."""

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from jobmill.application.ports.providers import ProviderRefused, ProviderUnavailable, WebAnswer
from jobmill.application.shipped.retry_after import wait_asked_for

#: About us or the address we call, and not about the message: another provider may take it.
_ABOUT_US: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    }
)


def is_success(answer: WebAnswer) -> bool:
    """Whether the status is one of 200 to 299."""
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def read_object(answer: WebAnswer) -> Mapping[str, Any]:
    """Return the JSON object in the body; an empty one where there is something else."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def objection_to(
    answer: WebAnswer, *, now: datetime, code: object = None
) -> ProviderRefused | ProviderUnavailable:
    """Return what an answer means that is not the one hoped for.

    Args:
        now: with a time zone; dates in the answer are counted from here.
        code: the provider's own word or number for it.
    """
    status = answer.status
    said = f"answered {named(status)}" + ("" if code is None else f", code {code}")
    if is_success(answer):
        return ProviderUnavailable(f"{said} with something that is no answer of its", in_doubt=True)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        wait = wait_asked_for(answer.retry_after, now=now)
        is_busy = status == HTTPStatus.TOO_MANY_REQUESTS or wait is not None
        return ProviderUnavailable(said, is_busy=is_busy, retry_after=wait)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.OK:
        return ProviderUnavailable(said, in_doubt=True)
    if status in _ABOUT_US:
        return ProviderUnavailable(f"{said}: look at the account and the address in the settings")
    if status < HTTPStatus.BAD_REQUEST:
        return ProviderUnavailable(f"{said}; redirects are not followed")
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return ProviderUnavailable(said)
    return ProviderRefused(said)


def named(status: int) -> str:
    """Return a status with its usual words."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
