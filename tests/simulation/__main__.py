"""Play one seed again: ``python -m tests.simulation 4711``; with ``--shrink``, a smaller run like it."""

import argparse

from tests.simulation.run import play
from tests.simulation.scenario import draw
from tests.simulation.shrink import shrink


def main() -> int:
    """Print the scenario, what happened, and what broke; 1 if anything did."""
    options = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    options.add_argument("seed", type=int)
    options.add_argument("--shrink", action="store_true", help="make a failing run as small as can be")
    asked = options.parse_args()
    report = play(draw(asked.seed), keeps_trace=True)
    if asked.shrink and report.broken:
        report = shrink(report)
    print(report.scenario)  # noqa: T201
    print(*report.trace, sep="\n")  # noqa: T201
    print(*(report.broken or ("no invariant is broken",)), report.account, sep="\n")  # noqa: T201
    return 1 if report.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
