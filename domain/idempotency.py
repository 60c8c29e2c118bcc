"""One key, one job: what a request under a key amounts to."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from attrs import frozen

#: How long an idempotency key is kept; longer while its job is not finished.
KEY_HOLD: Final = timedelta(hours=24)


@frozen(kw_only=True)
class KeyClaim:
    """A key that a new job wants for itself.

    Args:
        scope: who may meet whom: keys of different scopes never collide.
        key: the client's own.
        fingerprint: a digest of the request; empty where any second request is a replay whatever it says.
        hold: how long the key is kept at least. It is never taken over while its job is not finished.
    """

    scope: str
    key: str
    fingerprint: str = ""
    hold: timedelta = KEY_HOLD


@frozen(kw_only=True)
class New:
    """Nobody holds the key, or it is mine already: store the job."""


@frozen(kw_only=True)
class Replay:
    """The same request came before: answer with that job."""

    job_id: UUID


@frozen(kw_only=True)
class Conflict:
    """Another request came before under this key: refuse."""

    job_id: UUID
    key: str


KeyVerdict = New | Replay | Conflict


def judge(claim: KeyClaim, job_id: UUID, *, holder: UUID, fingerprint: str) -> KeyVerdict:
    """Judge a claim on a key that is taken.

    Args:
        claim: what the new job asks.
        job_id: the new job.
        holder: the job that the key points to.
        fingerprint: the request that the key was taken with.
    """
    if holder == job_id:
        return New()
    if claim.fingerprint == fingerprint:
        return Replay(job_id=holder)
    return Conflict(job_id=holder, key=claim.key)
