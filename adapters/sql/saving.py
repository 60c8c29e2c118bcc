"""The statement that saves transitions: compare-and-set, its guards, and what is written with it."""

from collections.abc import Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    Text,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    true,
    update,
)

from jobmill.adapters.sql.column_types import SPAN, Word
from jobmill.adapters.sql.dialect import Chain, Dialect, Incoming, Params, Values, follower
from jobmill.adapters.sql.fences import later, locked
from jobmill.adapters.sql.mapping import WRITTEN, new_history, new_notice, written_values
from jobmill.adapters.sql.schema import job_history, jobs, outbox
from jobmill.domain.states import UNSTARTED, WAITING, Fact, Guard, JobState, Target
from jobmill.domain.transition import Transition

#: What a move says beside the columns it writes. ``payload`` and its version are null unless it was edited;
#: ``fresh`` is a start from the beginning, which alone takes a stop request back; ``uncounted`` begins to
#: count announcements anew. ``seen_worker`` is told by what is decided on it, and null elsewhere.
_SEEN = {
    "job_id": jobs.c.id.type,
    "seen_version": Integer(),
    "seen_stamp": BigInteger(),
    "seen_state": Word(JobState),
    "seen_worker": Text(),
    "guard": Word(Guard),
    "lease": SPAN,
    "fresh": Boolean(),
    "uncounted": Boolean(),
    "payload": Text(),
    "payload_version": Integer(),
}


@frozen(kw_only=True)
class Saving:
    """The save of many transitions at once; returns of each row the fence and what is outside of it."""

    chain: Chain
    _moves: Incoming

    @classmethod
    def on(cls, dialect: Dialect, *, attended: bool = True) -> "Saving":
        """Build the statement; see ``Adding.on``."""
        moves = dialect.incoming("moves", {**_SEEN, **{column.name: column.type for column in WRITTEN}})
        move = locked(moves.rows).c
        rules = _rules(dialect, move.seen_worker)
        head = (
            update(jobs)
            .values(
                {column.name: move[column.name] for column in WRITTEN}
                | {
                    "payload": func.coalesce(move.payload, jobs.c.payload),
                    "payload_version": func.coalesce(move.payload_version, jobs.c.payload_version),
                    "lease_until": later(dialect.now, move.lease),
                    "stop_asked": and_(jobs.c.stop_asked, not_(move.fresh)),
                    "announces": case((move.uncounted, 0), else_=jobs.c.announces),
                }
            )
            .where(
                jobs.c.id == move.job_id,
                jobs.c.version == move.seen_version,
                jobs.c.stamp == move.seen_stamp,
                jobs.c.state == move.seen_state,
                or_(*(and_(move.guard == guard, rule) for guard, rule in rules.items())),
            )
            .returning(
                jobs.c.id,
                jobs.c.version,
                jobs.c.stamp,
                jobs.c.lease_until,
                jobs.c.stop_asked,
                jobs.c.announces,
            )
        )
        return cls(
            chain=dialect.chain(
                head,
                follower(dialect, outbox, created_at=dialect.now, attended=literal(attended)),
                follower(dialect, job_history),
            ),
            moves=moves,
        )

    def bound(self, transitions: Sequence[Transition]) -> tuple[Params, Sequence[Values], Sequence[Values]]:
        """Return what the chain is run with. In the order of the ids, as the locks are taken."""
        ordered = sorted(transitions, key=lambda each: each.job.id)
        notices = [
            new_notice(each.job.stamp, each.job, each.target)
            for each in ordered
            if each.target is not Target.NONE
        ]
        return self._moves.bound([_values(each) for each in ordered]), notices, new_history(ordered)


def _rules(dialect: Dialect, seen_worker: ColumnElement[str]) -> dict[Guard, ColumnElement[Any]]:
    """What each guard asks of the row, by the database's own clock."""
    job, now = jobs.c, dialect.now
    return {
        Guard.NONE: true(),
        Guard.CLAIM: and_(
            job.state.in_(WAITING),
            or_(job.retry_at.is_(None), job.retry_at <= now),
            or_(job.expires_at.is_(None), job.expires_at > now),
            not_(job.stop_asked),
            job.attempt < job.max_attempts,
        ),
        Guard.LAPSED: and_(job.state == JobState.PROCESSING, job.lease_until < now),
        Guard.ORPHANED: and_(job.state == JobState.PROCESSING, job.worker == seen_worker),
        Guard.DUE: job.wake_at <= now,
        Guard.EXPIRED: and_(job.state.in_(UNSTARTED), job.expires_at <= now),
    }


def _values(transition: Transition) -> Values:
    before, job = transition.before, transition.job
    return (
        job.id,
        before.version,
        before.stamp,
        before.state,
        before.worker if transition.guard is Guard.ORPHANED else None,
        transition.guard,
        transition.lease,
        transition.fact is Fact.REQUEUED,
        transition.resets_announces,
        *((job.payload, job.payload_version) if job.edition > before.edition else (None, None)),
        *written_values(job),
    )
