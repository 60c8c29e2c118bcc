"""Errors of the application: what a caller of a service or a port may meet."""

from datetime import timedelta
from uuid import UUID

from jobmill.domain.errors import Fault, InvalidInput, JobmillError


class UnknownType(InvalidInput):
    """No handler declares this type of job."""

    code = "unknown-type"

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        from difflib import get_close_matches  # loaded only by whoever is wrong

        listed = ", ".join(known) or "none"
        near = get_close_matches(name[:100].lower(), known, n=1)
        mend = f" (did you mean {near[0]!r}?)" if near else ""
        detail = f"unknown type {name[:100]!r}{mend}; known types: {listed}"
        super().__init__(Fault(pointer="/type", detail=detail))


class InvalidPayload(InvalidInput):
    """A payload that its type's schema refuses."""

    code = "invalid-payload"


class TooLarge(InvalidInput):
    """More bytes than the limit allows."""

    code = "too-large"


class JobNotFound(JobmillError):
    """No job has this id."""

    code = "job-not-found"

    def __init__(self, job_id: UUID) -> None:
        self.job_id = job_id
        super().__init__(f"no job has the id {job_id}")


class StaleJob(JobmillError):
    """Somebody moved the job between the look and the save."""

    code = "stale-job"

    def __init__(self, job_id: UUID) -> None:
        self.job_id = job_id
        super().__init__(f"job {job_id} was moved by somebody else just now; look again and repeat")


class IdempotencyConflict(JobmillError):
    """The key was used before, with another request."""

    code = "idempotency-conflict"

    def __init__(self, *, key: str, job_id: UUID) -> None:
        self.key = key
        self.job_id = job_id
        super().__init__(
            f"the key {key!r} belongs to another request, which made job {job_id}; use a new key"
        )


class LeaseLost(JobmillError):
    """The attempt no longer holds its job: nothing that it wrote in its transaction stands."""

    code = "lease-lost"

    def __init__(self, job_id: UUID) -> None:
        self.job_id = job_id
        super().__init__(f"job {job_id} was taken from this attempt; its transaction was rolled back")


class ClientClosed(JobmillError):
    """The client was closed before it was asked."""

    code = "client-closed"

    def __init__(self) -> None:
        super().__init__("this client is closed; use it inside of its `with` block, or open another")


class NeedsDatabase(JobmillError):
    """The client speaks HTTP, and what was asked needs the database itself."""

    code = "needs-database"

    def __init__(self) -> None:
        super().__init__(
            "this client speaks HTTP, so it shares no transaction with you: leave `within=` out, or open the "
            "client by the database's URL, as in postgresql://…, for `within=` and `as_sql`"
        )


class ForeignDatabase(JobmillError):
    """The caller's transaction is one of another database than Jobmill's; nothing was written."""

    code = "foreign-database"

    def __init__(self, *, given: str, ours: str) -> None:
        super().__init__(
            f"`within` leads to {given}, and this client's Jobmill is in {ours}: no transaction spans both. "
            "Open the client by the URL of the database that `within` is connected to, and run "
            "`jobmill migrate` there; or leave `within=` out"
        )


class WaitTimedOut(JobmillError):
    """The awaited job was not finished in time. It goes on."""

    code = "wait-timed-out"

    def __init__(self, job_id: UUID, status: str, timeout: timedelta) -> None:
        self.job_id = job_id
        super().__init__(
            f"job {job_id} is still {status} after {timeout.total_seconds():g} s; it goes on, so wait again"
        )


class TransactionFault(JobmillError):
    """A handler used its transaction in a way that cannot work; the message says which, and the mend."""

    code = "transaction-fault"


class Unavailable(JobmillError):
    """A server that Jobmill stands on cannot be reached or does not keep up; try again."""

    code = "unavailable"

    def __init__(self, detail: str, *, retry_after: timedelta = timedelta(seconds=2)) -> None:
        self.retry_after = retry_after
        super().__init__(detail)


class StorageUnavailable(Unavailable):
    """The database did not take the statement: surely nothing was changed."""

    code = "storage-unavailable"


class StorageUnknown(Unavailable):
    """The database was cut off in the middle: the change may have been made or not."""

    code = "storage-unknown"


class AnswerLost(Unavailable):
    """The HTTP API was reached and its answer was not: what was asked may have been done or not."""

    code = "answer-lost"


class StorageRefused(JobmillError):
    """The database refuses a value in the batch, whichever; nothing of the batch was changed."""

    code = "storage-refused"


class PresenceLost(StorageUnavailable):
    """A lock of ours is not with the session that took it, as behind a proxy that pools transactions."""

    code = "presence-lost"


class BrokerUnavailable(Unavailable):
    """The broker cannot be reached."""

    code = "broker-unavailable"


class QueueFull(Unavailable):
    """A queue holds as many undelivered jobs as it may; nothing was stored."""

    code = "queue-full"

    def __init__(self, *, queue: str, waiting: int, jobs_max: int) -> None:
        self.queue = queue
        super().__init__(
            f"about {waiting:,} jobs wait in the queue {queue!r}, {jobs_max:,} may; try again later",
            retry_after=timedelta(seconds=5),
        )


class SetupFault(JobmillError):
    """Something only a person can mend: wrong password, missing migration, changed topology."""

    code = "setup-fault"


class WrongAddress(SetupFault):
    """A server's address in the settings cannot be read, or asks for what is not known."""
