"""One process at a time in a folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobmill.entrypoints.process_lock import AlreadyRunning, make_home, process_lock

HOLD = "import sys; from jobmill.entrypoints.process_lock import process_lock\n"
HOLD += "from pathlib import Path\nwith process_lock(Path(sys.argv[1])): print('held', flush=True); input()"


def test_the_second_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    told = pytest.raises(AlreadyRunning, match=f"process {os.getpid()} holds")
    with process_lock(tmp_path / "lock"), told, process_lock(tmp_path / "lock"):
        pytest.fail("two processes in one folder")


def test_after_the_first_has_left_the_lock_is_free(tmp_path: Path) -> None:
    with process_lock(tmp_path / "lock"):
        pass

    with process_lock(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_process_that_is_killed_leaves_no_lock_behind(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(AlreadyRunning, match=f"process {holder.pid} holds"), process_lock(path):
        pytest.fail("two processes in one folder")
    holder.kill()
    holder.communicate()

    with process_lock(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_the_home_is_for_its_owner_and_stays_out_of_version_control(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"

    make_home(home)
    make_home(home)

    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / ".gitignore").read_text() == "*\n"
