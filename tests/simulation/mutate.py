"""Run the mutants: ``python -m tests.simulation.mutate``, or with words that a hole must contain, only those.

Each is applied to a copy of the clone, and its killer has to fail there. 1 if one survives.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.simulation.mutant import Mutant, Seeds
from tests.simulation.mutants import MUTANTS
from tests.tidy.house import SKIPPED

ROOT: Final = Path(__file__).parents[2]
#: A killer that runs longer has met a hang, which is a way to fail.
KILLER_S: Final = 300.0


def main() -> int:
    """Print the table of holes, and say which mutants survived."""
    wanted = [mutant for mutant in MUTANTS if all(word in mutant.hole for word in sys.argv[1:])]
    survived = 0
    for mutant in wanted:
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "clone"
            shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(*SKIPPED))
            _apply(mutant, copy)
            verdict = _killed(mutant, copy)
        survived += verdict is None
        print(f"{mutant.rules:8} {mutant.hole:88} {verdict or 'SURVIVED'}", flush=True)  # noqa: T201
    return 1 if survived else 0


def _apply(mutant: Mutant, copy: Path) -> None:
    file = copy / mutant.file
    text = file.read_text()
    assert text.count(mutant.old) == 1, (
        f"{mutant.hole}: the text to change occurs {text.count(mutant.old)} times"
    )
    file.write_text(text.replace(mutant.old, mutant.new))


def _killed(mutant: Mutant, copy: Path) -> str | None:
    """Return who found it, or None."""
    if isinstance(mutant.killer, Seeds):
        command = ["-m", "tests.simulation.hunt", str(mutant.killer.most)]
    else:
        node = f"{mutant.killer.file}::{mutant.killer.name}"
        command = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", node]
    environment = os.environ | {"PYTHONPATH": f"{copy / 'src'}{os.pathsep}{copy}"}
    try:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=KILLER_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{mutant.killer}: hangs"
    if done.returncode == 0:
        return None
    if done.returncode != 1:
        raise SystemExit(f"{mutant.hole}: the killer could not run\n{done.stdout}{done.stderr}")
    return done.stdout.strip() if isinstance(mutant.killer, Seeds) else str(mutant.killer)


if __name__ == "__main__":
    raise SystemExit(main())
