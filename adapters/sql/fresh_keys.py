"""The short way of new jobs with a key each that nobody holds yet: all tables by one statement."""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

from attrs import frozen
from sqlalchemy import CTE, BindParameter, Select, Text, Uuid, bindparam, exists, select

from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.dialect import Chain, Dialect, Echo, Hot, Incoming, Params, follower
from jobmill.adapters.sql.fences import later
from jobmill.adapters.sql.insertion import head_of, notices_of
from jobmill.adapters.sql.mapping import UNTIED, new_tags, untied_values_of
from jobmill.adapters.sql.schema import job_keys, job_tags, outbox
from jobmill.application.ports.job_repository import NewJob


@frozen(kw_only=True)
class FreshKeys:
    """Stores jobs with their keys, or nothing where any of these is in the table.

    That is what nearly every key meets, and in steps it takes five round trips. Where somebody takes one of
    the keys at the same moment, the database refuses the statement as a whole.
    """

    _chain: Chain
    _new: Incoming
    _claims: Incoming
    _scope: BindParameter[str]

    @classmethod
    @lru_cache(maxsize=8)
    def on(cls, dialect: Dialect, *, attended: bool) -> "FreshKeys | None":
        """Build the statement, if it can be one; ``attended`` as in ``Adding.on``."""
        new = dialect.incoming("new", {column.name: column.type for column in UNTIED})
        claims = dialect.incoming(
            "claims", {"key": Text(), "job_id": Uuid(), "fingerprint": Text(), "hold": SPAN}
        )
        scope = bindparam("scope", type_=Text(), required=False)
        held = exists(job_keys.c.job_id).where(job_keys.c.scope == scope, claims.among(job_keys.c.key))
        chain = dialect.chain(
            head_of(dialect, new, ~held),
            follower(dialect, job_tags),
            echoes=[
                Echo(table=job_keys, source=partial(_keys, dialect, claims, scope)),
                Echo(table=outbox, source=partial(notices_of, dialect, attended)),
            ],
        )
        if chain.whole({}, ()) is None:
            return None
        return cls(chain=chain, new=new, claims=claims, scope=scope)

    def bound(self, news: Sequence[NewJob]) -> tuple[Hot, Params] | None:
        """Return the statement that stores these jobs, with its parameters; None where it cannot.

        It returns a row for each job, if all was as it should be.
        """
        scopes = {claim.scope for new in news for claim in new.keys}
        if len(scopes) != 1 or any(len(new.keys) != 1 or new.job.is_tied for new in news):
            return None
        jobs = [new.job for new in news]
        keys = [(new.keys[0].key, new.job.id, new.keys[0].fingerprint, new.keys[0].hold) for new in news]
        head = self._new.bound([untied_values_of(job) for job in jobs]) | self._claims.bound(keys)
        return self._chain.whole({**head, self._scope.key: scopes.pop()}, new_tags(jobs))


def _keys(dialect: Dialect, claims: Incoming, scope: BindParameter[str], stored: CTE) -> Select[Any]:
    """Make the keys of the jobs that were stored, in one order for all."""
    claim = claims.rows.c
    row = (scope, claim.key, claim.job_id, claim.fingerprint, later(dialect.now, claim.hold))
    return select(*row).select_from(claims.rows.join(stored, stored.c.id == claim.job_id)).order_by(claim.key)
