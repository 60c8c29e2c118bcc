"""The simulation itself: the same seed takes the same course, and a failing run is seen and gets small."""

import asyncio

import pytest
from attrs import evolve

from tests.simulation import run
from tests.simulation.account import Account
from tests.simulation.moves import FAULTS, REQUESTS
from tests.simulation.process import Process
from tests.simulation.run import play
from tests.simulation.scenario import Move, Scenario, draw
from tests.simulation.shrink import shrink, told
from tests.simulation.stage import Stage

JOB = {
    "payload": {"s": 4.0},
    "count": 1,
    "delay_s": None,
    "ttl_s": None,
    "priority": "normal",
    "type": "work",
    "patience_s": None,
}


def a_scenario(*moves: Move, **facts: object) -> Scenario:
    wanted: dict[str, object] = {
        "seed": 1,
        "workers": 2,
        "concurrency": 1,
        "parcel_jobs": 50,
        "grace_s": 2.0,
        "length_s": 5.0,
        "moves": tuple(sorted([Move(at_s=0.3, kind="submit", what=JOB), *moves], key=lambda move: move.at_s)),
    }
    return Scenario(**(wanted | facts))  # type: ignore[arg-type]


def test_the_same_seed_takes_the_same_course() -> None:
    for seed in range(12):
        first, again = (play(draw(seed), keeps_trace=True) for _ in range(2))

        assert first.trace == again.trace
        assert first.account == again.account


def test_every_kind_of_move_can_be_played_alone() -> None:
    for kind in sorted(FAULTS | REQUESTS):
        what = next(move.what for seed in range(500) for move in draw(seed).moves if move.kind == kind)
        report = play(a_scenario(Move(at_s=1.0, kind=kind, what=what)))

        assert report.broken == ()
        assert report.account is not None
        assert report.account.accepted >= 1


def test_a_frozen_process_does_nothing_and_finds_its_lease_gone() -> None:
    frozen = {"who": 0, "steps": 1, "for_s": 33.0, "is_cut": False}
    stalled = a_scenario(Move(at_s=1.0, kind="freeze", what=frozen), length_s=60.0)

    report = play(stalled, keeps_trace=True)

    assert report.broken == ()
    assert any("lapse" in line or "stopped renewing" in line for line in report.trace)


def test_a_worker_that_is_killed_at_any_step_loses_nothing() -> None:
    for steps in range(1, 60):
        killed = {"who": 0, "steps": steps, "again_s": 0.5}
        report = play(a_scenario(Move(at_s=0.4, kind="kill", what=killed), workers=1))

        assert report.broken == ()
        assert str(report.account) == "1 accepted = 1 succeeded + 0 open + 0 lost"


def test_an_account_with_something_open_or_lost_does_not_add_up() -> None:
    full = Account(accepted=2, ended={"succeeded": 1, "failed": 1}, open=0, lost=0)

    assert full.adds_up
    assert not evolve(full, ended={"succeeded": 1}, open=1).adds_up
    assert not evolve(full, ended={"succeeded": 1}, lost=1).adds_up
    assert not evolve(full, ended={"succeeded": 3}).adds_up


def test_a_failing_run_is_cut_down_to_what_makes_it_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken Jobmill, here: one that forgets a job whenever the lanes are shuffled."""

    def forgets(stage: Stage, chance: int) -> None:
        for job_id in list(stage.tables.jobs)[:1]:
            del stage.tables.jobs[job_id]

    broken = evolve(FAULTS["shuffled"], play=forgets)
    monkeypatch.setitem(FAULTS, "shuffled", broken)
    others = [Move(at_s=at, kind="clock_jumps", what={"seconds": 5}) for at in (0.1, 0.7, 1.5, 2.5, 3.0)]
    report = play(a_scenario(*others, Move(at_s=2.0, kind="shuffled", what={"chance": 1}), length_s=25.0))
    assert report.broken

    small = shrink(report)

    assert [move.kind for move in small.scenario.moves] == ["submit", "shuffled"]
    assert small.scenario.workers == 1
    assert "see it again: python -m tests.simulation 1" in told(report)


def test_a_run_that_spins_is_told_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def spins(_stage: Stage) -> None:
        while True:  # noqa: ASYNC110 - on purpose
            await asyncio.sleep(0)

    monkeypatch.setattr(run, "_storm", spins)

    report = play(a_scenario())

    assert "never ends" in report.broken[0]


def test_what_is_held_of_a_frozen_process_happens_when_it_thaws() -> None:
    seen: list[bool] = []

    def look(stage: Stage) -> None:
        process = stage.one(0)
        assert isinstance(process, Process)
        seen.append(process.is_frozen)

    frozen = Move(at_s=1.0, kind="freeze", what={"who": 0, "steps": 1, "for_s": 2.0, "is_cut": False})
    kinds = evolve(FAULTS["one_more"], play=look)
    FAULTS["look"] = kinds
    try:
        looks = [Move(at_s=at, kind="look", what={}) for at in (0.9, 2.9, 4.5)]
        play(a_scenario(frozen, *looks, length_s=6.0))
    finally:
        del FAULTS["look"]

    assert seen == [False, True, False]
