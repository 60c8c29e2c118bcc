"""Folders with and without Jobmill in them."""

import logging
import os
import shutil
import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.unit.entrypoints.cli.mill import Mill


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> Generator[None]:
    """A run started in the background of a script ignores it, and so would what it tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def bare_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Generator[Mill]:
    """A folder without a database, 80 columns, and no settings."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in os.environ:
        if name.startswith("JOBMILL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "path", list(sys.path))
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Mill(folder=folder, capsys=capsys)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def mill(bare_folder: Mill, migrated: Path) -> Mill:
    """A folder with an empty database."""
    bare_folder.file.parent.mkdir()
    shutil.copyfile(migrated, bare_folder.file)
    return bare_folder


@pytest.fixture
def shop(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> Mill:
    """The same, with handlers of the user's own."""
    monkeypatch.setenv("JOBMILL_HANDLERS", "tests.unit.entrypoints.cli.shop_handlers")
    return mill


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, made once and then copied."""
    import asyncio

    from jobmill.adapters.sql import migrate

    path = tmp_path_factory.mktemp("migrated-for-cli") / "jobmill.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path
