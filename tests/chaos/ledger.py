"""The ledger of a trial: as data, and as a page."""

import statistics
from collections.abc import Sequence
from typing import Any, Final

from tests.chaos.audit import Findings
from tests.chaos.injector import Incident
from tests.chaos.trial import Trial

STATES: Final = ("succeeded", "failed", "expired", "cancelled", "discarded")
#: Of each kind of fault in the books so many ids are shown.
SHOWN: Final = 10


def ledger(trial: Trial, findings: Findings) -> dict[str, Any]:
    """Everything that is told of a trial, ready for JSON."""
    ended = sum(findings.ends[state] for state in STATES)
    return {
        "passed": not findings.faults,
        "seed": trial.plan.seed,
        "seconds": round(trial.seconds, 1),
        "drain_s": round(trial.drain_s, 1),
        "processes": {"api": trial.plan.apis, "worker": trial.plan.workers, "slots": trial.plan.slots},
        "accepted": findings.accepted,
        "accepted_per_s": round(findings.accepted / trial.seconds, 1) if trial.seconds else 0,
        "ends": {state: findings.ends[state] for state in STATES},
        "open": findings.accepted - ended,
        "lost": findings.lost,
        "spent_on_lost_workers": findings.spent,
        "by_kind": _by_kind(findings),
        "effects": findings.effects,
        "effects_repeated": findings.effects_repeated,
        "transactional_effects": findings.charges,
        "quarantined": findings.quarantined,
        "garbage_notices": trial.injector.scene.tally.garbage,
        "parcels_doubled": trial.injector.scene.tally.doubled,
        "parcels_dropped": trial.injector.scene.tally.dropped,
        "outbox_left": findings.outbox_left,
        "faults": len(trial.injector.incidents),
        "faults_by_kind": fault_table(trial.injector.incidents),
        "faults_not_possible": dict(trial.injector.skipped),
        "run_again_after_kill_median_s": _median(findings.run_again_s),
        "run_again_after_kill_jobs": len(findings.run_again_s),
        "run_again_after_kill_alone_median_s": _median(findings.run_again_alone_s),
        "run_again_after_kill_alone_jobs": len(findings.run_again_alone_s),
        "attempts_burnt_by_rolling_restart": findings.burnt_by_rolling,
        "attempts_burnt_by_sigterm_amid_other_faults": findings.burnt_by_sigterm,
        "ends_of_processes": dict(trial.stage.crew.ends),
        "answers": dict(trial.book.answers),
        "operations": dict(trial.book.operations),
        "open_peak": trial.sampler.open_peak,
        "memory_peak_mib": dict(trial.sampler.peak_mib),
        "wrong": {fault: ids[:SHOWN] for fault, ids in findings.faults.items()},
        "wrong_counts": {fault: len(ids) for fault, ids in findings.faults.items()},
    }


def fault_table(incidents: Sequence[Incident]) -> dict[str, dict[str, Any]]:
    """Per kind: how often, and how long it took until work went on.

    ``slowest_alone_s`` looks only at those during whose recovery nothing else was broken.
    """
    table: dict[str, dict[str, Any]] = {}
    for kind in sorted({each.kind for each in incidents}):
        ours = [each for each in incidents if each.kind == kind]
        times = [each.recovery_s for each in ours if each.recovery_s is not None]
        alone = [each.recovery_s for each in ours if each.recovery_s is not None and _alone(each, incidents)]
        table[kind] = {
            "count": len(ours),
            "median_s": _median(times),
            "slowest_s": _rounded(max(times, default=None)),
            "slowest_alone_s": _rounded(max(alone, default=None)),
            "not_seen_to_recover": len(ours) - len(times),
        }
    return table


def page(entries: dict[str, Any], *, command: str) -> str:
    """The ledger as Markdown."""
    verdict = "passed" if entries["passed"] else "FAILED"
    lines = [
        "# Ledger of a trial",
        "",
        f"`{command}`: **{verdict}**. {entries['accepted']:,} jobs were accepted within "
        f"{entries['seconds']:.0f} s, {entries['faults']} faults were made meanwhile, "
        f"**{entries['lost']} jobs were lost**.",
        "",
        *_rows(("jobs", "number"), _account(entries)),
        "",
        *_rows(("beside that", "number"), _beside(entries)),
        "",
        "Recovery is the time from the end of a fault until a job that was submitted then has succeeded; for",
        "a killed worker, from the kill until the last of its jobs was started again. *Alone* counts only",
        "faults during whose recovery nothing else was broken.",
        "",
        *_rows(
            ("fault", "made", "recovery, median", "slowest", "slowest alone"),
            [
                (
                    kind,
                    row["count"],
                    *(_seconds(row[f"{name}_s"]) for name in ("median", "slowest", "slowest_alone")),
                )
                for kind, row in entries["faults_by_kind"].items()
            ],
        ),
    ]
    for fault, items in entries["wrong"].items():
        lines += ["", f"**{fault}**: {entries['wrong_counts'][fault]}", "", *(f"- {item}" for item in items)]
    return "\n".join(lines) + "\n"


def _account(entries: dict[str, Any]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [("accepted", f"{entries['accepted']:,}")]
    rows += [
        (f"= {state}" if state == STATES[0] else f"+ {state}", f"{entries['ends'][state]:,}")
        for state in STATES
    ]
    return [*rows, ("+ open", entries["open"]), ("**lost**", f"**{entries['lost']}**")]


def _beside(entries: dict[str, Any]) -> list[tuple[object, ...]]:
    memory = ", ".join(f"{role} {mib} MiB" for role, mib in entries["memory_peak_mib"].items())
    return [
        ("accepted per second", entries["accepted_per_s"]),
        ("failed because workers died under every attempt", entries["spent_on_lost_workers"]),
        ("effects of handlers", f"{entries['effects']:,}"),
        ("… of which repeated, as at-least-once allows", entries["effects_repeated"]),
        ("transactional effects, exactly one per succeeded job", entries["transactional_effects"]),
        ("attempts burnt by rolling restarts", entries["attempts_burnt_by_rolling_restart"]),
        *(
            (f"worker killed until its jobs ran again, {words}, median (jobs)", _again(entries, which))
            for words, which in (("nothing else broken", "_alone"), ("whatever else was broken", ""))
        ),
        ("parcels doubled", entries["parcels_doubled"]),
        ("parcels dropped", entries["parcels_dropped"]),
        ("pieces of garbage where workers read", entries["garbage_notices"]),
        ("… of which quarantined; the others went with a wiped broker or queue", entries["quarantined"]),
        ("largest process", memory),
        ("drained after, s", entries["drain_s"]),
    ]


def _again(entries: dict[str, Any], which: str) -> str:
    name = f"run_again_after_kill{which}"
    return f"{_seconds(entries[f'{name}_median_s'])} ({entries[f'{name}_jobs']})"


def _rows(head: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> list[str]:
    table = [head, ("---",) * len(head), *rows]
    return ["| " + " | ".join(map(str, row)) + " |" for row in table]


def _by_kind(findings: Findings) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for (kind, state), count in sorted(findings.by_kind.items()):
        table.setdefault(kind, {})[state] = count
    return table


def _alone(incident: Incident, incidents: Sequence[Incident]) -> bool:
    until_s = incident.recovered_s or incident.ended_s
    return not any(
        other.began_s < until_s and incident.began_s < other.ended_s
        for other in incidents
        if other is not incident
    )


def _median(seconds: Sequence[float]) -> float | None:
    return _rounded(statistics.median(seconds)) if seconds else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f} s"
