"""The end of a trial: what the database says about every job that was accepted."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from attrs import define, field

from tests.chaos.book import Book
from tests.chaos.faults.processes import ROLLING, names
from tests.chaos.injector import Incident
from tests.chaos.mix import OPEN
from tests.chaos.watch import Watch

WITHIN_S: Final = 120.0
#: Handlers and database read the same clock, not at the same moment.
SLACK: Final = timedelta(seconds=0.5)
#: Only what a killed worker lost so soon afterwards is put down to that kill.
LOST_WITHIN: Final = timedelta(seconds=90)
#: Lanes whose faults hold up more than the process they hit.
DISTURBING: Final = frozenset({"servers", "messages"})

_JOBS: Final = "select id, state, error_kind from jobs"
_DOUBLED: Final = """\
select idempotency_key from jobs where idempotency_key is not null
group by idempotency_key having count(*) > 1
"""
_WITHOUT_EFFECT: Final = """\
select id from jobs where state = 'succeeded' and type <> 'chaos.charge'
and not exists (select from chaos.effects where job_id = jobs.id)
"""
_REPEATED: Final = "select coalesce(sum(n - 1), 0) from (select count(*) n from chaos.effects group by key) x"
_LATE: Final = """\
select distinct jobs.id from jobs join chaos.effects on job_id = jobs.id
where effects.started_at > jobs.finished_at + $1
"""
_CHARGED: Final = """\
select jobs.id, jobs.state, count(charges.job_id) n from jobs left join chaos.charges on job_id = jobs.id
where type = 'chaos.charge' group by jobs.id
"""
_WORKERS_LOST: Final = """\
select job_id, worker, at, started_at, message from job_history where failure_kind = 'worker-lost'
"""
_STARTED: Final = "select job_id, started_at from chaos.effects where job_id = any($1::uuid[])"


@define(kw_only=True)
class Findings:
    """What was found. Everything in ``faults`` makes the trial fail; each has a few ids to look at."""

    accepted: int
    ends: Counter[str] = field(factory=Counter)
    by_kind: Counter[tuple[str, str]] = field(factory=Counter)
    faults: dict[str, list[str]] = field(factory=dict)
    #: Jobs that failed because workers died under them as often as they were allowed to be started.
    spent: int = 0
    effects: int = 0
    effects_repeated: int = 0
    charges: int = 0
    quarantined: int = 0
    outbox_left: int = 0
    burnt_by_rolling: int = 0
    burnt_by_sigterm: int = 0
    #: From each kill of a worker until each of its jobs was started again.
    run_again_s: list[float] = field(factory=list)
    #: The same, only of kills with no trouble of the servers or the network until then.
    run_again_alone_s: list[float] = field(factory=list)

    @property
    def lost(self) -> int:
        """Accepted and unknown, or open for ever."""
        return len(self.faults.get(LOST, ()))

    def blame(self, fault: str, items: Sequence[object]) -> None:
        """Note what must not be."""
        if items:
            self.faults.setdefault(fault, []).extend(map(str, items))


LOST: Final = "accepted jobs lost"


async def audit(watch: Watch, book: Book, incidents: Sequence[Incident]) -> Findings:
    """Compare everything with everything."""
    findings = Findings(accepted=book.accepted)
    await _judge_ends(watch, book, findings)
    await _judge_effects(watch, findings)
    await _judge_kills(watch, incidents, findings)
    findings.quarantined = await watch.one("select count(*) from quarantine")
    findings.outbox_left = await watch.one("select count(*) from outbox")
    findings.blame("answers that no fault excuses", book.wrongs)
    return findings


async def _judge_ends(watch: Watch, book: Book, findings: Findings) -> None:
    rows = {row["id"]: row for row in await watch.rows(_JOBS, within_s=WITHIN_S)}
    for job_id, kind in book.kind_of.items():
        row = rows.pop(job_id, None)
        state = row["state"] if row else "unknown"
        findings.ends[state] += 1
        findings.by_kind[kind, state] += 1
        if row is None or state in OPEN:
            findings.blame(LOST, [f"{job_id} ({kind}) is {state}"])
        elif state == "failed" and row["error_kind"] == "worker-lost":
            findings.spent += 1
        elif state not in book.ends(job_id):
            findings.blame("accepted jobs with a wrong end", [f"{job_id} ({kind}) is {state}"])
    findings.blame("jobs that nobody was told of", list(rows))
    doubled = await watch.rows(_DOUBLED, within_s=WITHIN_S)
    findings.blame("submissions stored twice", [row[0] for row in doubled])


async def _judge_effects(watch: Watch, findings: Findings) -> None:
    findings.effects = await watch.one("select count(*) from chaos.effects")
    findings.effects_repeated = int(await watch.one(_REPEATED))
    for fault, question, values in (
        ("succeeded without effect", _WITHOUT_EFFECT, ()),
        ("started after the end of the job", _LATE, (SLACK,)),
    ):
        rows = await watch.rows(question, *values, within_s=WITHIN_S)
        findings.blame(fault, [row["id"] for row in rows])
    for row in await watch.rows(_CHARGED, within_s=WITHIN_S):
        findings.charges += row["n"]
        if row["n"] != (1 if row["state"] == "succeeded" else 0):
            words = f"{row['id']} is {row['state']} and took effect {row['n']} times"
            findings.blame("transactional effects that are not exactly one", [words])


async def _judge_kills(watch: Watch, incidents: Sequence[Incident], findings: Findings) -> None:
    lost = await watch.rows(_WORKERS_LOST, within_s=WITHIN_S)
    jobs = list({row["job_id"] for row in lost})
    started: dict[UUID, list[datetime]] = {}
    for row in await watch.rows(_STARTED, jobs, within_s=WITHIN_S):
        started.setdefault(row["job_id"], []).append(row["started_at"])
    for incident in incidents:
        for pid, at in incident.aftermath.rolled:  # what it lost before was another fault's doing
            burnt = [_story(row) for row in lost if names(row["worker"] or "", pid) and row["at"] >= at]
            if incident.kind == ROLLING.name:
                findings.burnt_by_rolling += len(burnt)
                findings.blame("attempts burnt by a rolling restart", burnt)
            else:
                findings.burnt_by_sigterm += len(burnt)
        for pid, at in incident.aftermath.killed:
            again_s = _run_again(pid, at, lost, started)
            findings.run_again_s += again_s
            if again_s:  # more to the point than a probe
                incident.ended_s = incident.began_s
                incident.recovered_s = incident.began_s + max(again_s)
            if not any(_disturbs(other, incident) for other in incidents):
                findings.run_again_alone_s += again_s


def _story(row: Any) -> str:  # noqa: ANN401 - a row of asyncpg
    words = f"{row['job_id']} on {row['worker']}, started {row['started_at']}"
    return f"{words}, lost {row['at']}: {row['message']}"


def _disturbs(other: Incident, kill: Incident) -> bool:
    """Whether a fault outside of the processes fell into the time until a killed worker's jobs ran again."""
    until_s = kill.recovered_s or kill.ended_s
    overlaps = other.began_s < until_s and kill.began_s < (other.recovered_s or other.ended_s)
    return other.lane in DISTURBING and overlaps


def _run_again(
    pid: int, at: datetime, lost: Sequence[Any], started: dict[UUID, list[datetime]]
) -> list[float]:
    """How long it took until each job that a killed process held was started again."""
    found: list[float] = []
    for row in lost:
        if names(row["worker"] or "", pid) and at <= row["at"] <= at + LOST_WITHIN:
            later = [each for each in started.get(row["job_id"], ()) if each > row["at"]]
            if later:
                found.append((min(later) - at).total_seconds())
    return found
