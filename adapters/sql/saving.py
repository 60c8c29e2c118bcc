"""The statement that saves every kind of move: compare-and-set, its guards, and what is written with it."""

from collections.abc import Sequence
from functools import lru_cache

from attrs import frozen
from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    Text,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    type_coerce,
    update,
)

from jobmill.adapters.sql.column_types import SPAN, Word
from jobmill.adapters.sql.common_moves import CommonMoves
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.dialect import Chain, Dialect, Incoming, Params, Rows, Values, follower
from jobmill.adapters.sql.fences import later
from jobmill.adapters.sql.guards import OUTSIDE, STATE, rules
from jobmill.adapters.sql.mapping import WRITTEN, new_history, new_notice, written_values
from jobmill.adapters.sql.schema import job_history, jobs, outbox
from jobmill.domain.states import Fact, Guard, JobState, Target
from jobmill.domain.transition import Transition

#: What a move says beside the columns it writes. ``payload`` and its version are null unless it was edited;
#: ``fresh`` is a start from the beginning, which alone takes a stop request back; ``uncounted`` begins to
#: count announcements anew. ``inherited`` is null unless the job was let go. ``seen_worker`` is told by what
#: is decided on it, and null elsewhere.
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
    "inherited": Text(),
}


@frozen(kw_only=True)
class Saving:
    """The save of many transitions at once."""

    chain: Chain
    _moves: Incoming
    _common: CommonMoves

    @classmethod
    @lru_cache(maxsize=8)  # building and compiling takes longer than the rest of opening a database
    def on(cls, dialect: Dialect, *, attended: bool = True) -> "Saving":
        """Build the statement; see ``Adding.on``."""
        moves = dialect.incoming("moves", {**_SEEN, **{column.name: column.type for column in WRITTEN}})
        move = moves.rows.c
        asked = rules(dialect)
        asked[Guard.ORPHANED] = and_(asked[Guard.ORPHANED], jobs.c.worker == move.seen_worker)
        head = (
            update(jobs)
            .values(
                {column.name: move[column.name] for column in WRITTEN}
                | {
                    "payload": func.coalesce(move.payload, jobs.c.payload),
                    "payload_version": func.coalesce(move.payload_version, jobs.c.payload_version),
                    "inherited": func.coalesce(move.inherited, jobs.c.inherited),
                    "watched": case((move.fresh, move.stamp), else_=jobs.c.watched),
                    "lease_until": later(dialect.now, move.lease),
                    "stop_asked": and_(jobs.c.stop_asked, not_(move.fresh)),
                    "announces": case((move.uncounted, 0), else_=jobs.c.announces),
                }
            )
            .where(
                jobs.c.id == move.job_id,
                dialect.locks(moves, jobs.c.id, joined=True),
                jobs.c.version == move.seen_version,
                jobs.c.stamp == move.seen_stamp,
                type_coerce(move.seen_state, Text()) == STATE,
                or_(*(and_(move.guard == guard, rule) for guard, rule in asked.items())),
            )
            .returning(*OUTSIDE)
        )
        return cls(
            chain=dialect.chain(
                head,
                follower(dialect, outbox, created_at=dialect.now, attended=literal(attended)),
                follower(dialect, job_history),
            ),
            moves=moves,
            common=CommonMoves.on(dialect),
        )

    async def run(self, database: Database, transitions: Sequence[Transition]) -> Rows:
        """Save, by the narrow statement if that will do; returns rows of ``OUTSIDE``."""
        ordered = _ordered(transitions)
        if (params := self._common.bound(ordered)) is not None:
            return await database.hot(self._common.statement, params)
        return await database.link(self.chain, *self.bound(ordered))

    def bound(self, transitions: Sequence[Transition]) -> tuple[Params, Sequence[Values], Sequence[Values]]:
        """Return what the chain is run with."""
        ordered = _ordered(transitions)
        notices = [
            new_notice(each.job.stamp, each.job, each.target)
            for each in ordered
            if each.target is not Target.NONE
        ]
        return self._moves.bound([_values(each) for each in ordered]), notices, new_history(ordered)


def _ordered(transitions: Sequence[Transition]) -> Sequence[Transition]:
    """In the order of the ids, as the locks are taken."""
    return sorted(transitions, key=lambda each: each.job.id.int)


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
        job.inherited,
        *written_values(job),
    )
