"""What has to be true when the faults have ceased and time has passed; by number, as the witness has it.

 1  every accepted job is in one state, and with finitely many faults it ends
 2  what is over stays over, but for an operator
 3  no save passes over a version it has not seen
 4  attempts and handlers stay within the limit
 5  one process believes in a lease, and it is the one that has it
 6  the broker is not filled with copies
 7  a waiting job is found again
 8  no outbox row goes before its confirm
 9  no acknowledgement leaves a job without a notice
10  no handler starts too early, too late or after a cancel
11  renewals and stop requests make no version, saves touch neither
12  every caller is answered
13  one key, one job; one payload, the row's
14  what succeeded has run to its end, and what it wrote in its own transaction stands exactly once
"""

from jobmill.domain.states import TERMINAL, JobState

from tests.simulation.account import Account
from tests.simulation.stage import Stage, runs_by_job


def everything_is_over(stage: Stage) -> bool:
    """Every job, accepted or not known to be, has ended, and nothing is under way."""
    jobs = all(job.state in TERMINAL for job in stage.watched.rows.values())
    return jobs and not (stage.ready or stage.unanswered or stage.tables.outbox or stage.requests)


def judge_the_end(stage: Stage) -> Account:
    """Hold what is left against the laws; breaches go to the witness."""
    law = stage.witness.law
    rows = stage.watched.rows
    rows.nothing_is_unexplained()
    account = Account.of(stage.accepted, rows)
    law(1, account.adds_up, "the account does not add up", account)
    open_jobs = [
        f"{stage.witness.name(job.id)} is {job.state.value}"
        for job in rows.values()
        if job.state not in TERMINAL
    ]
    law(7, not open_jobs, "nobody finds what waits", *open_jobs)
    left = (stage.ready, stage.unanswered, len(stage.tables.outbox))
    law(7, not any(left), "left over: ready, unanswered, in the outbox", *left)
    law(12, not stage.requests, "callers without an answer", len(stage.requests))
    _judge_attempts(stage)
    _judge_effects(stage)
    _judge_processes(stage)
    return account


def _judge_attempts(stage: Stage) -> None:
    runs = runs_by_job(stage)
    for job in stage.watched.rows.values():
        if job.id in stage.rewound:
            continue  # runs of the lost history have the same versions
        name = stage.witness.name(job.id)
        since = stage.watched.rows.requeued_at.get(job.id, 0)
        mine = [ran for ran in runs.get(job.id, []) if ran.version > since]
        counted = len(mine) - job.postpones
        stage.witness.law(4, counted <= job.max_attempts, "more handlers than attempts", name, counted)
        stage.witness.law(4, job.attempt <= job.max_attempts, "more attempts than allowed", name)
        if job.state is JobState.SUCCEEDED and "pays" not in job.payload:
            good = [ran for ran in mine if ran.returned and ran.version == job.version - 1]
            stage.witness.law(14, len(good) == 1, "succeeded without a run that did", name, len(good))


def _judge_effects(stage: Stage) -> None:
    """What a handler wrote in its job's transaction is there exactly if the job has succeeded by it."""
    for job in stage.watched.rows.values():
        paid = sum(effect.parameters == job.id for effect in stage.tables.effects)
        due = job.state is JobState.SUCCEEDED and "pays" in job.payload
        about = (stage.witness.name(job.id), job.state.value, f"{paid} effects")
        stage.witness.law(14, paid == due, "effects that are not those of its success", *about)


def _judge_processes(stage: Stage) -> None:
    for node in stage.nodes:
        faults = [f"{event} {fields}" for event, fields in node.notes.events]
        stage.witness.law(12, not faults, "a fault of ours", node.name, *faults)
        life = node._life
        if life.done() and not life.cancelled():
            stage.witness.law(12, life.exception() is None, "a process ended", node.name, life.exception())
