"""The job type ``call``: one call to one telephone."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from attrs import frozen

from jobmill.application.codec.telephone import number_fault
from jobmill.application.handlers import JobContext, JobHandlers
from jobmill.application.ports.providers import PhoneCall
from jobmill.application.shipped.field_faults import refuse
from jobmill.application.shipped.provider_chain import ProviderChain
from jobmill.domain.options import CONTROL

CALL_ID_CHARS_MAX: Final = 100
#: With its letters escaped this stays below the 4,000 that the provider takes.
WORDS_CHARS_MAX: Final = 600


@frozen(kw_only=True)
class Call:
    """A call.

    Args:
        call_id: what the submitter calls it.
        attempt, timestamp: the submitter's own, accepted and not used: Jobmill counts by itself.
        message: what is said; without it the provider says what its address names.
    """

    call_id: str
    phone_number: str
    attempt: int | None = None
    timestamp: datetime | None = None
    message: str | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot become a call."""
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        if not 1 <= len(self.call_id) <= CALL_ID_CHARS_MAX or CONTROL.search(self.call_id):
            yield f"'call_id' must be 1 to {CALL_ID_CHARS_MAX} characters in one line"
        if fault := number_fault(self.phone_number):
            yield f"'phone_number' {fault}"
        if self.attempt is not None and self.attempt < 0:
            yield "'attempt' must be 0 or more"
        if self.message is not None and not 1 <= len(self.message) <= WORDS_CHARS_MAX:
            yield f"'message' must have 1 to {WORDS_CHARS_MAX} characters, not {len(self.message):,}"


def call_handlers(chain: ProviderChain[PhoneCall]) -> JobHandlers:
    """Return the type ``call``; its result says which provider took the call, and under which id."""
    handlers = JobHandlers()

    @handlers.register("call", queue="call", log_fields=("call_id",))
    async def place_call(call: Call, job: JobContext) -> dict[str, str]:
        order = PhoneCall(
            key=job.idempotency_key, recipient=call.phone_number, call_id=call.call_id, words=call.message
        )
        taken = await chain.send(order, attempt=job.attempt)
        return {"provider": taken.provider, "call_id": call.call_id, **taken.answer}

    handlers.heed("call", chain.outlook)
    return handlers
