"""What all jobs of one type have in common, and the rules for their names."""

import re
from datetime import timedelta
from typing import Final

from attrs import field, frozen

from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.retry_policy import RetryPolicy
from jobmill.domain.states import Priority

DEFAULT_QUEUE: Final = "default"
TIMEOUT_DEFAULT: Final = timedelta(seconds=60)
TIMEOUT_MAX: Final = timedelta(days=1)
TTL_MAX: Final = timedelta(days=3650)
PAYLOAD_VERSION_MAX: Final = 10_000

_TYPE_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,99}")
_QUEUE_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,49}")
#: Names that the broker's own topology uses in the same place.
RESERVED_QUEUES: Final = frozenset({"retry", "dead", "ingress", "epoch", "events"})


def type_name(name: str) -> str:
    """Return the name in its one form; types are compared without regard to case.

    Raises:
        InvalidInput: it is not ``[a-z][a-z0-9_.-]{0,99}``.
    """
    lowered = name.lower()
    if _TYPE_NAME.fullmatch(lowered):
        return lowered
    rule = "a letter, then up to 99 letters, digits, dots, dashes or underscores"
    raise InvalidInput(Fault(pointer="/type", detail=f"{name[:100]!r} is no name for a job type: {rule}"))


def queue_name(name: str) -> str:
    """Return the name unchanged.

    Raises:
        InvalidInput: it is not ``[a-z][a-z0-9_-]{0,49}``, or it is reserved.
    """
    if name in RESERVED_QUEUES:
        raise InvalidInput(Fault(pointer="/queue", detail=f"{name!r} is reserved; choose another name"))
    if _QUEUE_NAME.fullmatch(name):
        return name
    rule = "a small letter, then up to 49 small letters, digits, dashes or underscores"
    raise InvalidInput(Fault(pointer="/queue", detail=f"{name[:100]!r} is no name for a queue: {rule}"))


@frozen(kw_only=True)
class TypeRules:
    """What holds for every job of a type unless the job says otherwise.

    Args:
        name: the type's name, in any case; kept in small letters.
        queue: where its jobs wait.
        priority: among the jobs of that queue.
        retry: the policy after a failed attempt.
        ttl: how long after its due time a job may still start; None for ever.
        timeout: how long one attempt may take, above 0 and up to a day.
        payload_version: of the payloads that are made now, 1 to 10,000.
        log_fields: of the payload, to stand in every line that is logged of a job.

    Raises:
        InvalidInput: a name, a number or a duration is out of its range.
    """

    name: str = field(converter=type_name)
    queue: str = field(default=DEFAULT_QUEUE, converter=queue_name)
    priority: Priority = Priority.NORMAL
    retry: RetryPolicy = RetryPolicy()
    ttl: timedelta | None = None
    timeout: timedelta = TIMEOUT_DEFAULT
    payload_version: int = 1
    log_fields: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Refuse durations and versions that no job may have."""
        for name, value, limit in (("timeout", self.timeout, TIMEOUT_MAX), ("ttl", self.ttl, TTL_MAX)):
            if value is not None and not timedelta(0) < value <= limit:
                raise InvalidInput(Fault(pointer=f"/{name}", detail=f"must be above 0 and at most {limit}"))
        if not 1 <= self.payload_version <= PAYLOAD_VERSION_MAX:
            detail = f"must be from 1 to {PAYLOAD_VERSION_MAX:,}"
            raise InvalidInput(Fault(pointer="/version", detail=detail))
