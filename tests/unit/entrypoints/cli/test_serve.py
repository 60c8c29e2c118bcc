"""``jobmill up``, ``api`` and ``worker``: which settings the processes are started with."""

import logging
import sys
from collections.abc import Callable

import pytest

from jobmill.application.errors import SetupFault
from jobmill.entrypoints import processes
from jobmill.entrypoints.cli.exits import Exit
from jobmill.entrypoints.reloading import Reloader
from jobmill.entrypoints.settings import Settings

from tests.unit.entrypoints.cli.mill import Mill, Told


class Processes:
    """Stands where the processes are, and ends at once."""

    def __init__(self) -> None:
        self.started: list[tuple[str, Settings]] = []
        self.refusal: Exception | None = None

    def named(self, name: str) -> Callable[..., object]:
        async def run(settings: Settings, say: Callable[[str], None]) -> None:
            self.started.append((name, settings))
            if self.refusal is not None:
                raise self.refusal
            say(f"{name} is up")

        return run


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Processes:
    """What gets started."""
    stand_in = Processes()
    for name in ("up", "api", "worker"):
        monkeypatch.setattr(processes, f"run_{name}", stand_in.named(name))
    return stand_in


@pytest.mark.parametrize("command", ["up", "api", "worker"])
def test_without_options_the_settings_are_those_of_the_environment(
    bare_folder: Mill, started: Processes, command: str
) -> None:
    told = bare_folder.run(command)

    assert told == Told(code=Exit.DONE, out=f"{command} is up\n", err="")
    assert started.started == [(command, Settings())]


def test_options_stand_above_the_environment(
    bare_folder: Mill, started: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBMILL_PORT", "3001")
    monkeypatch.setenv("JOBMILL_HOST", "10.0.0.1")
    monkeypatch.setenv("JOBMILL_HANDLERS", "shop.jobs")

    bare_folder.run("up", "--port", 3002, "--handlers", "a.b, c:d", "--concurrency", 7)

    [(_, settings)] = started.started
    assert (settings.port, settings.concurrency) == (3002, 7)
    assert settings.handlers == ("a.b", "c:d")
    assert settings.host == "10.0.0.1"


def test_reloading_runs_the_same_command_below_itself_with_its_options(
    bare_folder: Mill, started: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Reloader] = []

    async def run(self: Reloader) -> None:
        made.append(self)

    monkeypatch.setattr(Reloader, "run", run)
    monkeypatch.setattr("sys.argv", ["bin/jobmill", "up"])
    monkeypatch.setenv("JOBMILL_LOG", "warning")

    told = bare_folder.run("up", "--reload", "--port", 3002)

    assert (told.code, started.started) == (Exit.DONE, [])
    [reloader] = made
    assert reloader.command == [sys.executable, "bin/jobmill", "up"]
    assert reloader.folder == bare_folder.folder
    ours = {name: text for name, text in reloader.env.items() if name.startswith("JOBMILL_")}
    assert ours == {"JOBMILL_PORT": "3002", "JOBMILL_LOG": "warning", "JOBMILL_SHUTDOWN_GRACE_S": "2"}


def test_wrong_settings_are_refused_before_anything_is_reloaded(
    bare_folder: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBMILL_PORT", "x")

    assert bare_folder.run("up", "--reload").code == Exit.WRONG_USE


@pytest.mark.parametrize(
    "options",
    ["up --port 0", "up --port 65536", "up --concurrency 0", "worker --concurrency 10001", "worker --port 1"],
)
def test_an_option_out_of_its_range_starts_nothing(
    bare_folder: Mill, started: Processes, options: str
) -> None:
    told = bare_folder.run(*options.split())

    assert told.code == Exit.WRONG_USE
    assert started.started == []


def test_wrong_settings_start_nothing(
    bare_folder: Mill, started: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBMILL_PROT", "3001")

    told = bare_folder.run("up")

    assert told.code == Exit.WRONG_USE
    assert told.err == "jobmill: JOBMILL_PROT: no such setting; did you mean JOBMILL_PORT?\n"
    assert started.started == []


@pytest.mark.parametrize("refusal", [SetupFault("port 3000 is taken"), OSError("port 3000 is taken")])
def test_a_process_that_refuses_to_start_says_why(
    bare_folder: Mill, started: Processes, refusal: Exception
) -> None:
    started.refusal = refusal

    assert bare_folder.run("up") == Told(code=Exit.REFUSED, out="", err="jobmill: port 3000 is taken\n")


def test_a_process_logs_at_the_level_that_is_set(
    bare_folder: Mill, started: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBMILL_LOG", "error")

    bare_folder.run("worker")

    assert logging.getLogger().level == logging.ERROR
