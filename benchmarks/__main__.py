"""``python -m benchmarks``: measure Jobmill and its peers, and write down what came of it."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markdown import Markdown

from benchmarks.bench import FOLDER, PEERS_BIN, Bench
from benchmarks.children import ROOT
from benchmarks.parts import PARTS
from benchmarks.report.page import PAGE, render, report, write_plots
from benchmarks.report.tables import number
from benchmarks.results import Results
from benchmarks.run import Wishes, measure
from benchmarks.samples import Sample
from benchmarks.size import FULL, QUICK, TRIAL
from benchmarks.systems.roster import contenders

_PUBLISHED: Final = ROOT / "benchmarks" / "results" / "published.json"
INTERRUPTED: Final = 130
#: Columns of a page that is no terminal.
_WIDE: Final = 160
_LAST: Final = FOLDER / "last.json"
#: For those who have the peers installed elsewhere.
_PEERS_VARIABLE: Final = "JOBMILL_BENCH_PEERS_BIN"


def main() -> int:
    """Read the command line, measure, write; 1 if anything could not be measured, 130 if interrupted."""
    wishes = _arguments().parse_args()
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
    if wishes.report is not None:
        results = Results.load(wishes.report)
    else:
        results = asyncio.run(_measured(wishes, console))
        results.save(wishes.out)
        console.print(f"results: {_shown(wishes.out)}")
    console.print(Markdown(report(results)))
    if not results.is_complete:
        console.print("interrupted: what is above is a part")
        return INTERRUPTED
    if wishes.publish:
        results.save(_PUBLISHED)
        write_plots(results)
        PAGE.write_text(render(PAGE.read_text(), results))
        console.print(f"written: {_shown(PAGE)}, {_shown(_PUBLISHED)} and the plots")
    return 1 if any(each.refused for each in results.figures) else 0


async def _measured(wishes: argparse.Namespace, console: Console) -> Results:
    task = asyncio.current_task()
    assert task is not None
    # Ctrl-C does the same by asyncio's own doing: what was started is ended, what was made is removed.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    bench = Bench.here(peers_bin=Path(os.environ.get(_PEERS_VARIABLE) or PEERS_BIN))
    systems = contenders(bench, only=wishes.only)
    size = TRIAL if wishes.trial else QUICK if wishes.quick else FULL
    return await measure(
        bench,
        systems,
        Wishes(parts=wishes.parts or [each for each in PARTS if each not in size.left_out], size=size),
        tell=lambda sample: console.print(_line(sample)),
    )


def _line(sample: Sample) -> str:
    name = f"{sample.measure:9} {sample.contender:17} {sample.case:24}"
    if sample.refused:
        return f"{name} none: {' '.join(sample.refused.split())[:300]}"
    mark = f"   disturbed: others took {sample.foreign:.0%} of the machine" if sample.is_disturbed else ""
    return f"{name} {number(sample.value):>10} {sample.unit}{mark}"


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", choices=[*PARTS, []], help=f"all: {' '.join(PARTS)}"
    )
    parser.add_argument("--quick", action="store_true", help="about five minutes, once each")
    parser.add_argument("--trial", action="store_true", help="a few jobs each, to see that everything works")
    parser.add_argument("--only", action="append", default=[], metavar="CONTENDER", help="repeatable")
    parser.add_argument("--out", type=Path, default=_LAST, help=f"for the results; {_shown(_LAST)}")
    parser.add_argument("--report", type=Path, help="show earlier results instead of measuring")
    parser.add_argument("--publish", action="store_true", help=f"write {_shown(PAGE)} and what belongs to it")
    return parser


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    sys.exit(main())
