"""A stranger's first project: made by the installed command, outside of the clone, and told by its README."""

import os
import re
import sys
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from attrs import frozen

from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

#: A line of a README that is to be typed.
TYPED: Final = re.compile(r"^\$ (.+)$", re.MULTILINE)
WITHIN_S: Final = 60.0


@frozen(kw_only=True)
class Shell:
    """Where a person types: a folder, and an environment with the installed command on its path."""

    folder: Path
    env: Mapping[str, str]

    def start(self, line: str, *, name: str) -> ServerProcess:
        """Type a line; its output goes to a file beside the folder, which is watched for changes."""
        log = self.folder.parent / f"{name}.log"
        return ServerProcess.start(["/bin/sh", "-c", f"exec {line}"], log=log, cwd=self.folder, env=self.env)

    async def run(self, line: str, *, name: str) -> tuple[int, str]:
        process = self.start(line, name=name)
        code = await process.wait(within_s=WITHIN_S)
        return code, process.log.read_text()

    def inside(self, folder: str) -> "Shell":
        return Shell(folder=self.folder / folder, env=self.env)


@pytest.fixture
def shell(python: Path, tmp_path: Path) -> Shell:
    [port] = free_ports(1)
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("JOBMILL_", "PYTEST_"))}
    path = f"{python.parent}{os.pathsep}{kept['PATH']}"
    folder = tmp_path / "work"
    folder.mkdir()
    return Shell(folder=folder, env={**kept, "PATH": path, "JOBMILL_PORT": str(port), "COLUMNS": "200"})


@pytest_asyncio.fixture
async def shop(shell: Shell) -> AsyncGenerator[Shell]:
    """The project, just made, its ``jobmill up`` running as its README says."""
    code, printed = await shell.run("jobmill new shop", name="new")
    assert code == 0, printed
    project = shell.inside("shop")
    first, *_ = commands(project)
    assert first == "jobmill up --reload"
    up = project.start(first, name="up")
    try:

        async def stands() -> bool:
            return "Ctrl-C (jobs are kept)" in up.log.read_text()

        assert await until(stands, within_s=WITHIN_S, hopeless=lambda: up.has_ended), up.last_words()
        yield project
    finally:
        await up.kill()


def commands(project: Shell) -> list[str]:
    """The lines to be typed of the project's README."""
    return TYPED.findall((project.folder / "README.md").read_text())


async def test_every_command_of_its_readme_works(shop: Shell) -> None:
    printed = {}

    for number, line in enumerate(commands(shop)[1:]):
        code, told = await shop.run(line, name=f"command-{number}")
        assert code == 0, f"{line}\n{told}"
        printed[line.split(" '")[0]] = told

    assert list(printed) == [
        "jobmill types",
        "jobmill submit thumbnail.make",
        "jobmill submit greeting.send",
        "jobmill jobs",
        "python -m pytest",
    ]
    assert "thumbnail.make" in printed["jobmill types"]
    assert "attempt 1  succeeded" in printed["jobmill submit thumbnail.make"]
    assert "attempt 3  succeeded" in printed["jobmill submit greeting.send"]
    assert printed["jobmill jobs"].count("succeeded") == 2
    assert "3 passed" in printed["python -m pytest"]


async def test_the_commands_that_new_prints_are_those_that_work(shell: Shell) -> None:
    _, printed = await shell.run("jobmill new shop", name="new")

    typed = [line.strip() for line in printed.splitlines() if line.startswith("  ")]
    assert typed[0] == "cd shop"
    assert set(typed[1:]) <= set(commands(shell.inside("shop")))


async def test_its_code_pleases_the_usual_checkers(shell: Shell) -> None:
    await shell.run("jobmill new shop", name="new")
    project = shell.inside("shop")

    for line in (
        "python -m ruff check --isolated --select B,D1,E,F,I,UP --ignore D103 .",
        "python -m ruff format --isolated --check .",
        f"{sys.executable} -m mypy --strict shop tests",
    ):
        code, printed = await project.run(line, name="checker")

        assert code == 0, printed
