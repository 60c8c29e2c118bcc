"""The requirements files pin everything, agree with each other, and cover what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ("requirements.txt", "requirements-dev.txt")
PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)( ;.+)?")


def lines(name: str) -> list[str]:
    return [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]


def pins(name: str) -> dict[str, str]:
    matches = [PIN.fullmatch(line) for line in lines(name)]
    return {normal(match[1]): match[2] for match in matches if match}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]) for requirement in requirements}


@pytest.mark.parametrize("name", [*FILES, "benchmarks/requirements.txt"])
def test_every_line_is_a_pin_and_nothing_else(name: str) -> None:
    assert [line for line in lines(name) if not PIN.fullmatch(line)] == []


def test_the_tests_run_with_what_jobmill_runs_with() -> None:
    running, developing = (pins(name) for name in FILES)

    assert running.items() <= developing.items()


def test_all_that_the_project_asks_for_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = names(project["project"]["dependencies"]) | names(project["build-system"]["requires"])
    dev = names(project["project"]["optional-dependencies"]["dev"])

    assert runtime <= pins("requirements.txt").keys()
    assert runtime | dev <= pins("requirements-dev.txt").keys()
