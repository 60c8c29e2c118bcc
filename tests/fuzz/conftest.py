"""How many cases the fuzzers try, and the sum of them at the end of the report."""

import os
from collections import Counter
from collections.abc import Callable

import pytest

from tests.unit.entrypoints.cli.conftest import bare_folder, ctrl_c_is_heard, migrated, mill

__all__ = ["bare_folder", "ctrl_c_is_heard", "migrated", "mill"]

#: Multiplies the number of cases, for long runs: `JOBMILL_TEST_FUZZ=20 make test ARGS=tests/fuzz`.
FACTOR_NAME = "JOBMILL_TEST_FUZZ"
KEY = "fuzzed"

Tried = Callable[[int], None]


@pytest.fixture(scope="session")
def factor() -> int:
    """How many times the usual number of cases is wanted; above 1 each run tries others."""
    return int(os.environ.get(FACTOR_NAME, "1"))


@pytest.fixture
def tried(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Tried:
    """Told of a number of cases tried, for the sum at the end of the report."""

    def note(cases: int) -> None:
        record_property(KEY, (request.node.path.stem, cases))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Properties travel with the reports, so the sum is right with several processes as well."""
    sums: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for key, value in getattr(report, "user_properties", ()):
                if key == KEY:
                    sums[value[0]] += value[1]
    if sums:
        terminalreporter.section("cases tried by the fuzzers")
        for name, cases in sorted(sums.items()):
            terminalreporter.line(f"{cases:>9,}  {name.removeprefix('test_')}")
        terminalreporter.line(f"{sums.total():>9,}  in all")
