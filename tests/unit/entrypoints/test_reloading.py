"""Which changes start a project anew, and that nothing else does."""

import asyncio
from pathlib import Path

import pytest

from jobmill.entrypoints import reloading
from jobmill.entrypoints.reloading import Reloader, concerns


@pytest.mark.parametrize(
    "path", ["jobs.py", "shop/jobs.py", "shop/deep/er/jobs.py", "pyproject.toml", "tests/test_jobs.py"]
)
def test_python_files_and_the_settings_are_the_projects(tmp_path: Path, path: str) -> None:
    assert concerns(tmp_path / path, tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "shop/pyproject.toml",
        ".jobmill/jobmill.db",
        ".jobmill/outbox/mail.py",
        ".venv/lib/python3.11/site-packages/x.py",
        ".git/hooks/x.py",
        "shop/__pycache__/jobs.cpython-311.pyc",
        "shop/__pycache__/jobs.py",
        "shop/.jobs.py.swp",
        "shop/.#jobs.py",
        "node_modules/gyp/x.py",
        "build/lib/shop/jobs.py",
    ],
)
def test_all_else_is_not(tmp_path: Path, path: str) -> None:
    assert not concerns(tmp_path / path, tmp_path)


def test_a_virtual_environment_is_known_by_its_file_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "pyvenv.cfg").touch()

    assert not concerns(tmp_path / "env" / "lib" / "x.py", tmp_path)
    assert concerns(tmp_path / "lib" / "x.py", tmp_path)


def test_a_project_that_lies_in_a_hidden_folder_is_watched_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / ".worktrees" / "build" / "shop"

    assert concerns(folder / "jobs.py", folder)


async def test_a_command_that_ends_is_started_by_the_next_change_and_by_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, said = asyncio.Event(), asyncio.Queue[str]()
    monkeypatch.setattr(reloading, "stop_on_signals", lambda: stop)
    project, starts = tmp_path / "project", tmp_path / "starts"
    project.mkdir()
    reloader = Reloader(
        command=["/bin/sh", "-c", f"echo start >> {starts}; exit 3"],
        env={},
        folder=project,
        say=said.put_nowait,
    )
    running = asyncio.create_task(reloader.run())
    assert await said.get() == "reload: ended with exit code 3; waiting for a change"

    (project / "README.md").write_text("no code")
    (project / "jobs.py").write_text("x = 1")

    assert await said.get() == "reload: jobs.py changed"
    assert await said.get() == "reload: ended with exit code 3; waiting for a change"
    stop.set()
    await running
    assert starts.read_text().splitlines() == ["start", "start"]
