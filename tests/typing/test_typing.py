"""Both type checkers, at their strictest, on code that uses Jobmill rightly and wrongly.

A line that has to be refused carries an ignore. A checker that takes it after all complains of the ignore, so
the same run shows both. mypy reads these files with all others, by ``make check``; here it does so alone.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
FILES: Final = ("shop_jobs.py", "right_use.py", "wrong_use.py")
#: The first time pyright fetches what it consists of, through npm.
PYRIGHT_WITHIN_S: Final = 240


@pytest.mark.timeout(PYRIGHT_WITHIN_S + 60)
def test_mypy_takes_the_right_lines_and_refuses_the_wrong_ones() -> None:
    done = _run("mypy", *(f"tests/typing/{name}" for name in FILES), "--cache-dir", "build/mypy-typing")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(PYRIGHT_WITHIN_S + 60)
def test_pyright_takes_the_right_lines_and_refuses_the_wrong_ones() -> None:
    _require_pyright()

    done = _run("pyright", "-p", "tests/typing", "--pythonpath", sys.executable)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_wrong_line_says_that_it_is_to_be_refused() -> None:
    wrong = (HERE / "wrong_use.py").read_text().count("# type: ignore[")
    right = [(HERE / name).read_text().count("type: ignore") for name in ("shop_jobs.py", "right_use.py")]

    assert (wrong, right) == (23, [0, 0])


def _require_pyright() -> None:
    try:
        done = _run("pyright", "--version")
    except subprocess.TimeoutExpired:
        lack = "pyright did not start in time"
    else:
        if done.returncode == 0:
            return
        lack = f"no pyright here: {(done.stderr or done.stdout).strip()[-200:]}"
    (pytest.fail if os.environ.get("CI") else pytest.skip)(lack)


def _run(tool: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYRIGHT_PYTHON_CACHE_DIR": str(ROOT / "build" / "pyright")},
        capture_output=True,
        text=True,
        timeout=PYRIGHT_WITHIN_S,
        check=False,
    )
