"""The keys that new jobs claim for themselves."""

from collections.abc import Iterator, Mapping
from hashlib import sha256

from attrs import asdict

from jobmill.application.codec.strict_json import canonical_json
from jobmill.application.commands import SubmitJob
from jobmill.application.ports.job_repository import NewJob
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.idempotency import KeyClaim
from jobmill.domain.job import Job
from jobmill.domain.options import JobOptions


def key_claims(job: Job, command: SubmitJob, client: str) -> Iterator[KeyClaim]:
    """Yield the keys that a new job wants for itself; ``client`` is the scope of those of its own."""
    options = command.options
    if options.idempotency_key is not None:
        request = {"type": job.type, "payload": command.payload, "options": _wishes(options)}
        fingerprint = sha256(canonical_json(request)).hexdigest()
        yield KeyClaim(scope=f"client:{client}", key=options.idempotency_key, fingerprint=fingerprint)
    if options.unique is not None:
        yield KeyClaim(scope=f"unique:{job.type}", key=options.unique.key, hold=options.unique.hold)


def _wishes(options: JobOptions) -> dict[str, str]:
    """Everything else that was asked for, in a form that is equal for equal requests."""
    return {
        name: repr(value)
        for name, value in asdict(options).items()
        if value not in (None, ()) and name != "idempotency_key"
    }


def repeated_keys(unit: Mapping[int, NewJob]) -> Iterator[tuple[int, InvalidInput]]:
    """Yield what claims a key that an earlier job of the unit claims; jobs by their place in the batch."""
    seen: dict[tuple[str, str], int] = {}
    for at, new in unit.items():
        for claim in new.keys:
            first = seen.setdefault((claim.scope, claim.key), at)
            if first != at:
                place = "/unique/key" if claim.scope.startswith("unique:") else "/idempotency_key"
                yield (
                    at,
                    InvalidInput(Fault(pointer=place, detail=f"the same as of job {first} of this batch")),
                )
