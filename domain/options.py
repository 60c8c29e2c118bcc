"""What a client may ask for one job, beyond its type and payload."""

import re
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import frozen

from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.job_type import TIMEOUT_MAX, TTL_MAX
from jobmill.domain.retry_policy import MAX_ATTEMPTS_LIMIT
from jobmill.domain.states import Priority

DELAY_MAX: Final = timedelta(days=3650)
KEY_CHARS_MAX: Final = 255
TAGS_MAX: Final = 10
TAG_CHARS_MAX: Final = 50
#: What ends a line, moves a cursor or is half a character, wherever a text is shown.
CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@frozen(kw_only=True)
class Unique:
    """Ask that no second job of the type with the same key is accepted.

    Args:
        key: 1 to 255 characters, compared exactly.
        hold: the key stays taken until the job is finished, and at least this long.
    """

    key: str
    hold: timedelta = timedelta(0)


@frozen(kw_only=True)
class JobOptions:
    """One job's own wishes; None leaves a matter to the rules of its type.

    Args:
        run_at: not before this time; with a time zone. Excludes ``delay``.
        delay: not before this long from now, 0 to 3,650 days.
        ttl: how long after its due time the job may still start; the shorter of this and the type's wins.
        max_attempts: 1 to 100.
        timeout: per attempt, above 0 and up to a day.
        tags: up to 10, each of 1 to 50 characters.
        follows: the job after whose success it comes: its id, or its number, from 0, among the jobs of the
            same request, where it stands earlier.
    """

    queue: str | None = None
    priority: Priority | None = None
    run_at: datetime | None = None
    delay: timedelta | None = None
    ttl: timedelta | None = None
    max_attempts: int | None = None
    timeout: timedelta | None = None
    correlation_id: str | None = None
    idempotency_key: str | None = None
    tenant: str | None = None
    tags: tuple[str, ...] = ()
    unique: Unique | None = None
    follows: UUID | int | None = None

    def check(self) -> None:
        """Raise ``InvalidInput`` with every fault there is."""
        faults = [*self._wrong_times(), *self._wrong_texts()]
        if self.max_attempts is not None and not 1 <= self.max_attempts <= MAX_ATTEMPTS_LIMIT:
            faults.append(Fault(pointer="/max_attempts", detail=f"must be from 1 to {MAX_ATTEMPTS_LIMIT}"))
        if faults:
            raise InvalidInput(*faults)

    def _wrong_times(self) -> list[Fault]:
        faults = [
            Fault(pointer=f"/{name}", detail=f"must be above 0 and at most {limit.total_seconds():.0f} s")
            for name, value, limit in (("ttl_s", self.ttl, TTL_MAX), ("timeout_s", self.timeout, TIMEOUT_MAX))
            if value is not None and not timedelta(0) < value <= limit
        ]
        if self.delay is not None and not timedelta(0) <= self.delay <= DELAY_MAX:
            faults.append(
                Fault(pointer="/delay_s", detail=f"must be from 0 to {DELAY_MAX.total_seconds():.0f}")
            )
        if self.delay is not None and self.run_at is not None:
            faults.append(Fault(pointer="/run_at", detail="give run_at or delay_s, not both"))
        if self.run_at is not None and self.run_at.tzinfo is None:
            faults.append(Fault(pointer="/run_at", detail="needs a time zone, as in 2030-01-31T08:00:00Z"))
        if self.unique is not None and not timedelta(0) <= self.unique.hold <= DELAY_MAX:
            faults.append(
                Fault(pointer="/unique/hold_s", detail=f"must be from 0 to {DELAY_MAX.total_seconds():.0f}")
            )
        return faults

    def _wrong_texts(self) -> list[Fault]:
        texts = [
            ("/correlation_id", self.correlation_id, KEY_CHARS_MAX),
            ("/idempotency_key", self.idempotency_key, KEY_CHARS_MAX),
            ("/tenant", self.tenant, KEY_CHARS_MAX),
            ("/unique/key", self.unique.key if self.unique else None, KEY_CHARS_MAX),
            *((f"/tags/{at}", tag, TAG_CHARS_MAX) for at, tag in enumerate(self.tags)),
        ]
        faults = [fault for pointer, text, limit in texts if (fault := _wrong_text(pointer, text, limit))]
        if len(self.tags) > TAGS_MAX:
            faults.append(Fault(pointer="/tags", detail=f"at most {TAGS_MAX} tags"))
        return faults


def _wrong_text(pointer: str, text: str | None, limit: int) -> Fault | None:
    """These texts become headers and log fields, so they hold no control characters at all."""
    if text is None:
        return None
    if not 1 <= len(text) <= limit:
        return Fault(pointer=pointer, detail=f"must have 1 to {limit} characters, not {len(text)}")
    if CONTROL.search(text):
        return Fault(pointer=pointer, detail="must not hold line breaks or other control characters")
    return None
