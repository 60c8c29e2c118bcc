"""What no database takes, refused here as well, so that tests meet the refusal without a server."""

from collections.abc import Iterable

from jobmill.application.errors import StorageRefused
from jobmill.application.ports.progress import ProgressReport
from jobmill.application.ports.quarantine import ForeignMessage
from jobmill.domain.job import Job


def check_job(job: Job) -> None:
    """Look at the texts that people and handlers write.

    Raises:
        StorageRefused: one of them cannot be stored.
    """
    texts = (job.payload, job.result, job.error, job.worker, job.origin, job.inherited)
    names = (job.correlation_id, job.idempotency_key, job.tenant, *job.tags)
    _check((*texts, *names), owner=f"job {job.id}")


def check_message(message: ForeignMessage) -> None:
    """Look at the texts beside the headers, which are stored encoded, whatever they are.

    Raises:
        StorageRefused: one of them cannot be stored.
    """
    _check((message.source, message.reason, message.content_type), owner=f"message {message.id}")


def check_report(report: ProgressReport) -> None:
    """Look at the note.

    Raises:
        StorageRefused: it cannot be stored.
    """
    _check((report.note,), owner=f"the progress of job {report.fence.job_id}")


def _check(texts: Iterable[str | None], *, owner: str) -> None:
    for text in texts:
        if text is not None and ("\0" in text or not _encodes(text)):
            raise StorageRefused(f"{owner} holds a character that no database takes")


def _encodes(text: str) -> bool:
    """Half a surrogate pair is in no encoding."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
