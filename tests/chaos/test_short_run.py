"""A trial short enough for every test run; ``make chaos`` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.injector import lanes_of
from tests.chaos.trial import Plan, open_trial, play

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

FAULTS = (
    "SIGKILL worker",
    "SIGTERM worker",
    "network to PostgreSQL stalled",
    "RabbitMQ hangs",
    "network to RabbitMQ cut",
    "PostgreSQL ends sessions",
    "parcels doubled",
    "garbage",
)
SECONDS = 12.0


async def test_nothing_is_lost_in_a_short_trial(tmp_path: Path) -> None:
    plan = Plan(
        seconds=SECONDS,
        seed=11,
        folder=tmp_path / "trial",
        jobs_per_s=100.0,
        apis=1,
        workers=2,
        lanes=lanes_of(only=FAULTS),
        quiet_first_s=1.0,
    )

    async with open_trial(plan) as trial:
        findings = await play(trial)

    assert findings.faults == {}
    assert findings.lost == 0
    assert findings.accepted == trial.book.accepted > 0
    assert findings.ends.total() == findings.accepted
    assert len(trial.injector.incidents) >= 2
