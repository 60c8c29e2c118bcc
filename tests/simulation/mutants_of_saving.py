"""Mutants that decide wrongly who may write."""

from typing import Final

from tests.simulation.mutant import Mutant, Seeds, Test

_GUARDS: Final = "adapters/memory/guards.py"
_FORGET: Final = "                tables.outbox.pop(row, None)"

SAVING: Final = (
    Mutant(
        hole="a renewal makes a new version",
        rules="S3",
        file="adapters/memory/leases.py",
        old="job.changed(lease_until=until)",
        new="job.changed(lease_until=until, version=job.version + 1)",
        killer=Seeds(most=50),
    ),
    Mutant(
        hole="a lease is taken by its version alone",
        rules="S4, 4",
        file=_GUARDS,
        old="is_over = row.lease_until is not None and row.lease_until < now",
        new="is_over = row.lease_until is not None",
        killer=Test(
            file="tests/contract/test_jobs_save_guards.py",
            name="test_a_job_whose_lease_was_renewed_after_the_look_is_not_taken",
        ),
    ),
    Mutant(
        hole="asking to stop makes a new version",
        rules="S5, 32",
        file="domain/job.py",
        old="return self.changed(stop_asked=True)",
        new="return self.changed(stop_asked=True, version=self.version + 1)",
        killer=Seeds(most=100),
    ),
    Mutant(
        hole="the outbox is forgotten by job",
        rules="S8, 16",
        file="adapters/memory/outbox.py",
        old=_FORGET,
        new="""                kept = tables.outbox.pop(row, None)
                for other, one in list(tables.outbox.items()):
                    if kept is not None and one.fence.job_id == kept.fence.job_id:
                        tables.outbox.pop(other)""",
        killer=Seeds(most=2000),
    ),
    Mutant(
        hole="two notices of a job share a batch, and both are told that they have it",
        rules="1",
        file="application/commits.py",
        old="self._save, keys=_keys_of_moves, fraction=fraction)\n        self._looks",
        new="self._save, keys=_no_keys, fraction=fraction)\n        self._looks",
        killer=Test(
            file="tests/unit/application/test_commits.py",
            name="test_two_moves_of_one_job_do_not_share_a_statement",
        ),
    ),
    Mutant(
        hole="an unknown claim is taken as mine by its version",
        rules="2, 26",
        file="adapters/memory/jobs.py",
        old="if row.fence == transition.job.fence:",
        new="if row.version == transition.job.version:",
        killer=Seeds(most=100),
    ),
    Mutant(
        hole="a version without its stamp",
        rules="2",
        file=_GUARDS,
        old="return row.fence == before.fence and",
        new="return row.version == before.version and",
        killer=Seeds(most=1500),
    ),
    Mutant(
        hole="the attempt decides who may write",
        rules="§1",
        file=_GUARDS,
        old="return row.fence == before.fence and",
        new="return row.attempt == before.attempt and",
        killer=Seeds(most=300),
    ),
    Mutant(
        hole="a handler's writes are committed without its job's outcome",
        rules="36",
        file="adapters/memory/transactions.py",
        old="            if isinstance(answer, Saved):\n                tables",
        new="            if answer is not None:\n                tables",
        killer=Seeds(most=2000),
    ),
    Mutant(
        hole="a worker younger than the last look at the locks is taken for dead",
        rules="40",
        file="domain/presence.py",
        old="free_s = self.free_since_s.get(key, math.inf)",
        new="free_s = self.free_since_s.get(key, -math.inf)",
        killer=Test(
            file="tests/unit/domain/test_presence.py",
            name="test_a_lock_that_nobody_has_heard_of_proves_nothing_by_being_free",
        ),
    ),
)
