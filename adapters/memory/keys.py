"""Who gets a key: judged for one new job over all the keys it claims."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from jobmill.adapters.memory.tables import KeyRow, Tables
from jobmill.application.ports.job_repository import NewJob
from jobmill.domain.idempotency import Conflict, KeyClaim, KeyVerdict, New, Replay, judge


def verdict(tables: Tables, new: NewJob, *, now: datetime) -> KeyVerdict:
    """Say what the job's keys make of it, the worst first: a conflict, a replay, or a new job."""
    verdicts = [_judged(tables, claim, new.job.id, now=now) for claim in new.keys]
    return _first(verdicts, Conflict) or _first(verdicts, Replay) or New()


def take(tables: Tables, new: NewJob, *, now: datetime) -> None:
    """Give the job all its keys; one that is its own already keeps its time."""
    for claim in new.keys:
        name = (claim.scope, claim.key)
        held = tables.keys.get(name)
        if held is None or held.job_id != new.job.id:
            tables.keys[name] = KeyRow(
                job_id=new.job.id, fingerprint=claim.fingerprint, held_until=now + claim.hold
            )


def _judged(tables: Tables, claim: KeyClaim, job_id: UUID, *, now: datetime) -> KeyVerdict:
    held = tables.keys.get((claim.scope, claim.key))
    if held is None or (held.held_until <= now and not tables.is_open(held.job_id)):
        return New()
    return judge(claim, job_id, holder=held.job_id, fingerprint=held.fingerprint)


def _first(verdicts: Iterable[KeyVerdict], kind: type[Conflict] | type[Replay]) -> KeyVerdict | None:
    return next((each for each in verdicts if isinstance(each, kind)), None)
