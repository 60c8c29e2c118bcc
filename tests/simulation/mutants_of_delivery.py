"""Mutants that lose, multiply or drag along what is on its way."""

from typing import Final

from tests.simulation.mutant import Mutant, Seeds, Test

_POSTPONE: Final = (
    "failure = Failure(kind=FailureKind.RETRY_AFTER, message=reason, retry_after=delay)\n"
    "        if self.stop_asked"
)

DELIVERY: Final = (
    Mutant(
        hole="a delivery is acknowledged by the clock over jobs that nobody claimed",
        rules="24",
        file="application/holding.py",
        old="(self._is_overdue and self._unready == self._running)",
        new="self._is_overdue",
        killer=Test(
            file="tests/unit/application/test_holding.py",
            name="test_the_deadline_does_not_acknowledge_what_is_not_claimed",
        ),
    ),
    Mutant(
        hole="a single lost notice is never replaced",
        rules="44",
        file="application/lost_notices.py",
        old="if not await self._announce_what_is_lost(records.values()):",
        new="if not records and not await self._announce_what_is_lost(records.values()):",
        killer=Seeds(most=500),
    ),
    Mutant(
        hole="only an empty lane is looked after, so constant load hides what it lost",
        rules="44",
        file="application/lost_notices.py",
        old="if (waiting := _sum(depths[share] for share in self._shares[lane])) is not None",
        new="if (waiting := _sum(depths[share] for share in self._shares[lane])) == 0",
        killer=Test(
            file="tests/unit/application/test_lost_notices.py",
            name="test_a_lost_notice_under_constant_load_is_announced_again",
        ),
    ),
    Mutant(
        hole="a barrier judges all shares of a fair lane when it has come through the first",
        rules="44",
        file="application/receiver.py",
        old="onward = barrier.next",
        new="onward = None",
        killer=Test(
            file="tests/unit/application/test_fair_barriers.py",
            name="test_what_waits_in_a_share_that_stands_still_is_not_taken_for_lost",
        ),
    ),
    Mutant(
        hole="notices in workers' hands count as lost",
        rules="44",
        file="adapters/memory/barriers.py",
        old="if last.seen_at > now - after:",
        new="if last.seen_at > now:",
        killer=Test(
            file="tests/contract/test_lost_jobs.py",
            name="test_nothing_is_lost_before_the_barrier_has_been_back_for_a_while",
        ),
    ),
    Mutant(
        hole="any number of suspects is on trial at once",
        rules="35",
        file="application/suspects.py",
        old="        return len(self._on_trial) < self._trials_max\n",
        new="        return True\n",
        killer=Test(
            file="tests/unit/application/test_suspects.py",
            name="test_a_suspect_that_has_killed_nobody_for_a_while_lets_the_next_begin",
        ),
    ),
    Mutant(
        hole="a suspect begins beside the last attempt of another",
        rules="35",
        file="application/suspects.py",
        old="        if self._alone is not None:\n            return False\n",
        new="",
        killer=Test(
            file="tests/unit/application/test_suspect_rules.py",
            name="test_none_begins_beside_a_last_attempt_until_it_has_ended",
        ),
    ),
    Mutant(
        hole="an overdue retry is announced again and again",
        rules="42",
        file="domain/job.py",
        old="        return self._queue(Fact.RELEASED, now=now, stamp=stamp, guard=Guard.DUE)",
        new="""        again: dict[str, Any] = {"retry_at": self.retry_at, "wake_at": self.wake_at}
        if self.state is JobState.RETRYING:
            fact, target = Fact.RELEASED, Target.QUEUE
            return self._move(self.state, fact, now=now, stamp=stamp, guard=Guard.DUE, target=target, **again)
        return self._queue(Fact.RELEASED, now=now, stamp=stamp, guard=Guard.DUE)""",
        killer=Seeds(most=100),
    ),
    Mutant(
        hole="a missing marker is no sign of a wipe",
        rules="46",
        file="application/reconciler.py",
        old="if record.epoch is not None and seen == _marker(record):",
        new="if record.epoch is not None and seen in (None, _marker(record)):",
        killer=Test(
            file="tests/unit/application/test_refill.py",
            name="test_a_broker_that_lost_everything_is_refilled",
        ),
    ),
    Mutant(
        hole="after an outage leases lapse at once",
        rules="39",
        file="application/reconciler.py",
        old="        if after_s > self._renew_every_s:\n",
        new="        if after_s > 86_400.0:\n",
        killer=Test(
            file="tests/unit/application/test_leader.py",
            name="test_after_trouble_with_the_store_it_waits_a_whole_lease_again",
        ),
    ),
    Mutant(
        hole="more is claimed than can be started, so a poison job drags the others along",
        rules="22, 35",
        file="application/consumer.py",
        old="self._turns.deal(self._free, waiting)",
        new="self._turns.deal(50, waiting)",
        killer=Seeds(most=50),
    ),
    Mutant(
        hole="a suspect travels with others",
        rules="35",
        file="application/parcels.py",
        old="if notice.target is Target.DEAD or job.travels_alone:",
        new="if notice.target is Target.DEAD:",
        killer=Test(
            file="tests/unit/application/test_pack.py",
            name="test_what_may_have_killed_a_worker_travels_alone",
        ),
    ),
    Mutant(
        hole="full workers keep what they cannot start",
        rules="23, 27",
        file="application/hold_times.py",
        old="return holding.received_s + (SUSPECT_HOLD_S if _waits_for_suspects(holding, slots) else HOLD_S)",
        new="return holding.received_s + 1e9",
        killer=Test(
            file="tests/unit/application/test_consumer.py",
            name="test_a_full_worker_leaves_the_lanes_and_comes_back_when_a_slot_is_free",
        ),
    ),
    Mutant(
        hole="postponing gives attempts back without end",
        rules="33",
        file="domain/job.py",
        old=f"{_POSTPONE} or (self.postpones >= POSTPONES_MAX and not is_excused):",
        new=f"{_POSTPONE}:",
        killer=Test(
            file="tests/unit/domain/test_job_attempts.py",
            name="test_postponing_for_the_hundredth_time_is_the_last_that_is_free",
        ),
    ),
    Mutant(
        hole="a job is handed back while its handler runs",
        rules="33",
        file="application/consumer.py",
        old="            run.stop(Interrupt.SHUTDOWN)\n        await",
        new="""            run.stop(Interrupt.SHUTDOWN)
            run.is_settling = True
            from jobmill.application.outcomes import Postponed

            self._spawn(self._runner.settle([(run, Postponed(wait=None, reason="x"))]))
        await""",
        killer=Seeds(most=2000),
    ),
    Mutant(
        hole="one bad row fails its whole batch",
        rules="7",
        file="application/group_commit.py",
        old="            _refuse(batch[0], error)\n            return\n",
        new="            pass\n        return _refuse_all(batch, error)\n",
        killer=Test(
            file="tests/unit/application/test_group_commit_trouble.py",
            name="test_a_refused_value_is_told_to_its_owner_alone",
        ),
    ),
    Mutant(
        hole="a caller that went away takes the flush with it",
        rules="6",
        file="application/group_commit.py",
        old="""                    if not entry.future.done():
                        entry.future.set_result(answer)""",
        new="                    entry.future.set_result(answer)",
        killer=Seeds(most=1000),
    ),
    Mutant(
        hole="one locked row holds up the renewal of all leases",
        rules="3, 36",
        file="adapters/sql/leases.py",
        old="dialect.locks(fences, jobs.c.id, skip=True, joined=True)",
        new="dialect.locks(fences, jobs.c.id, joined=True)",
        killer=Test(
            file="tests/integration/sql/test_contention.py",
            name="test_a_lease_whose_row_is_locked_is_busy_and_the_others_are_renewed",
        ),
    ),
    Mutant(
        hole="two batches lock their rows in two orders",
        rules="3",
        file="adapters/sql/postgres_dialect.py",
        old="wanted = select(key).where(among).order_by(key)",
        new="wanted = select(key).where(among).order_by(func.random())",
        killer=Test(
            file="tests/integration/sql/test_lock_order.py",
            name="test_saves_lock_their_jobs_in_one_order",
        ),
    ),
    Mutant(
        hole="a command announces on a bus that ends with it",
        rules="20",
        file="entrypoints/cli/session.py",
        old="with_bus = announce and not settings.is_embedded",
        new="with_bus = announce",
        killer=Test(
            file="tests/unit/entrypoints/cli/test_submit.py",
            name="test_a_stored_job_waits_in_the_outbox_for_the_running_process",
        ),
    ),
    Mutant(
        hole="a worker's own clock sets the end of its lease",
        rules="§1, 29",
        file="adapters/memory/columns.py",
        old="else now + transition.lease",
        new="else job.updated_at + transition.lease",
        killer=Seeds(most=100),
    ),
    Mutant(
        hole="the same, in SQL",
        rules="§1, 29",
        file="adapters/sql/common_moves.py",
        old='later(dialect.now, bindparam("lease", None, SPAN))',
        new='later(move.at, bindparam("lease", None, SPAN))',
        killer=Test(
            file="tests/contract/test_jobs_save_guards.py",
            name="test_a_lease_is_counted_from_the_stores_own_time",
        ),
    ),
    Mutant(
        hole="the same, in SQL, in a batch of many kinds",
        rules="§1, 29",
        file="adapters/sql/saving.py",
        old='"lease_until": later(dialect.now, move.lease),',
        new='"lease_until": later(move.updated_at, move.lease),',
        killer=Test(
            file="tests/contract/test_jobs_save_batches.py",
            name="test_every_start_of_a_batch_has_its_own_worker_and_lease",
        ),
    ),
    Mutant(
        hole="rows are forgotten without the broker's word",
        rules="17",
        file="application/relay.py",
        old="            if outcome is PublishOutcome.CONFIRMED:\n                confirmed",
        new="            if outcome is not PublishOutcome.REFUSED:\n                confirmed",
        killer=Seeds(most=500),
    ),
    Mutant(
        hole="what nobody has confirmed counts as sent back",
        rules="23",
        file="application/returner.py",
        old="return not unsure or await self._through_outbox(unsure)",
        new="return True",
        killer=Seeds(most=1500),
    ),
)
