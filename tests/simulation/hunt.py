"""Play seeds until one breaks something: ``python -m tests.simulation.hunt 500``; 1 if one did."""

import sys
from importlib import util
from pathlib import Path

from tests.simulation.run import play_seed


def main() -> int:
    """Print the first seed that fails and what it broke."""
    code = util.find_spec("jobmill.domain")
    assert code is not None
    assert code.origin is not None
    here = Path(__file__).resolve().parents[2]
    assert Path(code.origin).resolve().is_relative_to(here), "the code under test is another clone's"
    for seed in range(int(sys.argv[1])):
        report = play_seed(seed)
        if report.broken:
            print(f"seed {seed}: {report.broken[0]}")  # noqa: T201
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
