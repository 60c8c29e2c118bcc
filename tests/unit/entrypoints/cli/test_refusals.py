"""How commands end that cannot do what was asked: one line that helps, and the right exit code."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from jobmill.application.errors import BrokerUnavailable
from jobmill.entrypoints.cli.exits import Exit, ending_of

from tests.unit.entrypoints.cli.mill import Mill, Told

#: A port that nothing listens on: binding it needs rights that no test has, and no service has it.
NOBODY = "127.0.0.1:1"
NEEDS_A_STORE = [
    "jobs",
    "dead",
    "submit simulate",
    f"job {'0' * 32}",
    f"cancel {'0' * 32}",
    f"requeue {'0' * 32}",
]


@pytest.mark.parametrize("command", NEEDS_A_STORE)
def test_where_there_is_no_jobmill_none_is_made(bare_folder: Mill, command: str) -> None:
    told = bare_folder.run(*command.split())

    assert told == Told(
        code=Exit.REFUSED,
        out="",
        err="jobmill: no Jobmill here: looked for ./.jobmill/jobmill.db; "
        "start `jobmill up` or set JOBMILL_DATABASE_URL\n",
    )
    assert list(bare_folder.folder.iterdir()) == []


def test_a_database_that_was_never_migrated_is_refused_with_the_mend(bare_folder: Mill) -> None:
    bare_folder.file.parent.mkdir()
    sqlite3.connect(bare_folder.file).close()
    bare_folder.file.touch()

    told = bare_folder.run("jobs")

    assert told.code == Exit.REFUSED
    assert "run `jobmill migrate`" in told.err
    assert len(told.err.splitlines()) == 1


def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    bare_folder: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBMILL_DATABASE_URL", f"postgresql://app:secret@{NOBODY}/shop")

    told = bare_folder.run("jobs")

    assert told.code == Exit.REFUSED
    assert f"the database app@{NOBODY}/shop" in told.err
    assert "is it running, and is JOBMILL_DATABASE_URL right?" in told.err
    assert "secret" not in told.err
    assert len(told.err.splitlines()) == 1


def test_a_broker_that_cannot_be_reached_is_named_without_its_password(
    bare_folder: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBMILL_BROKER_URL", f"amqp://app:secret@{NOBODY}/")

    told = bare_folder.run("topology", "plan")

    assert told.code == Exit.REFUSED
    assert NOBODY in told.err
    assert "is it running, and is JOBMILL_BROKER_URL right?" in told.err
    assert "secret" not in told.err
    assert len(told.err.splitlines()) == 1


def test_a_broker_that_is_down_does_not_stop_a_submission(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBMILL_BROKER_URL", f"amqp://app:secret@{NOBODY}/")

    told = mill.run("submit", "simulate")

    assert told.code == Exit.DONE
    assert told.err == "the broker takes nothing now: what is stored here is announced as soon as it does\n"
    assert len(mill.has(lambda world: world.notices())) == 1


def test_wrong_settings_are_a_wrong_use(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBMILL_BROKER_ULR", "x")
    monkeypatch.setenv("JOBMILL_PORT", "0")

    told = mill.run("jobs")

    assert told.code == Exit.WRONG_USE
    assert told.err.splitlines() == [
        "jobmill: JOBMILL_BROKER_ULR: no such setting; did you mean JOBMILL_BROKER_URL?",
        "jobmill: JOBMILL_PORT: must be a whole number from 1 to 65,535",
    ]


def test_handlers_that_cannot_be_found_are_a_wrong_use(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBMILL_HANDLERS", "shop.jobs")

    told = mill.run("submit", "simulate")

    assert told.code == Exit.WRONG_USE
    assert told.err.startswith("jobmill: JOBMILL_HANDLERS: no module 'shop.jobs'")


def test_an_unknown_command_is_answered_with_the_nearest(bare_folder: Mill) -> None:
    told = bare_folder.run("jbos")

    assert told.code == Exit.WRONG_USE
    assert 'Unknown command "jbos". Did you mean "jobs"?' in told.err


def test_a_refused_option_leads_to_the_help_of_its_command(bare_folder: Mill) -> None:
    assert bare_folder.run("topology", "plan", "--all").err.splitlines()[-1] == (
        "jobmill: see jobmill topology plan --help"
    )


@pytest.mark.parametrize("argument", ["[" * 5_000, f'["{"0" * 32}"]'])
def test_an_argument_is_never_read_as_a_list(bare_folder: Mill, argument: str) -> None:
    told = bare_folder.run("requeue", argument)

    assert told.code == Exit.WRONG_USE
    assert "see jobmill requeue --help" in told.err


def test_an_argument_that_is_not_utf_8_is_a_wrong_use(mill: Mill) -> None:
    told = mill.run("submit", "simulate", "\udcff")

    assert told == Told(code=Exit.WRONG_USE, out="", err="jobmill: argument 3 is not UTF-8: '\\udcff'\n")


def test_a_fault_of_ours_is_one_line(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    _break(monkeypatch)

    told = mill.run("jobs")

    assert told == Told(
        code=Exit.REFUSED, out="", err="jobmill: unexpected ZeroDivisionError: oh no; --debug shows where\n"
    )


def test_debug_shows_where_a_fault_is(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    _break(monkeypatch)

    assert "Traceback (most recent call last)" in mill.run("jobs", "--debug").err
    assert "Traceback" not in mill.run("jobs").err
    monkeypatch.setenv("JOBMILL_LOG", "debug")
    assert "Traceback (most recent call last)" in mill.run("jobs").err


def test_no_password_of_an_address_is_printed_whatever_the_error() -> None:
    error = BrokerUnavailable("amqp://app:s3:cr@et@mq:5672/ and https://x:y@z refused")

    [line] = ending_of(error).lines

    assert line.startswith("amqp://app:…@mq:5672/ and https://x:…@z refused;")


def test_ctrl_c_ends_a_command_quietly(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "jobmill.application.inspector.Inspector.page", lambda *_: signal.raise_signal(signal.SIGINT)
    )

    assert mill.run("jobs") == Told(code=Exit.INTERRUPTED, out="", err="")


def test_a_reader_that_had_enough_is_no_fault(mill: Mill) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)

    told = subprocess.run(
        [sys.executable, "-m", "tests.unit.entrypoints.cli.command_line", "types"],
        cwd=Path(__file__).parents[4],
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write_end)

    assert told.stderr == ""


@pytest.mark.parametrize("asked", ["--help", "submit --help", "jobs --help", "up --help", "--version"])
def test_what_needs_no_server_loads_no_client_of_one(asked: str) -> None:
    script = (
        "import sys\n"
        "from jobmill.entrypoints.cli.main import run\n"
        f"code = run({asked.split()!r})\n"
        "heavy = {'litestar', 'sqlalchemy', 'aiormq', 'uvicorn', 'aiohttp', 'dependency_injector'}\n"
        "print(heavy & set(sys.modules), file=sys.stderr)\n"
        "sys.exit(code)\n"
    )

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (told.returncode, told.stderr) == (Exit.DONE, "set()\n")


def _break(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oh no")

    monkeypatch.setattr("jobmill.application.inspector.Inspector.page", broken)
