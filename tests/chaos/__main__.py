"""``python -m tests.chaos``: break everything for some minutes and account for every job."""

import argparse
import asyncio
import contextlib
import json
import random
import sys
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console
from rich.markdown import Markdown

from tests.chaos.injector import lanes_of
from tests.chaos.ledger import ledger, page
from tests.chaos.stage import ROOT
from tests.chaos.trial import Plan, open_trial, play
from tests.chaos.view import View

FOLDER: Final = ROOT / "build" / "chaos"
PUBLISHED: Final = ROOT / "docs" / "chaos-ledger.md"
MINUTES_MAX: Final = 24 * 60


def main() -> int:
    """Read the command line, run a trial, write its ledger; 1 if anything is wrong with it."""
    wishes = _arguments().parse_args()
    console = Console(highlight=False)
    plan = Plan(
        seconds=wishes.minutes * 60,
        seed=wishes.seed,
        folder=FOLDER,
        jobs_per_s=wishes.rate,
        apis=wishes.apis,
        workers=wishes.workers,
        lanes=lanes_of(only=wishes.only, without=wishes.without),
    )
    console.print(f"seed {plan.seed}, {wishes.minutes:g} minutes; logs in {_shown(FOLDER)}")
    entries = uvloop.run(_run(plan, console))
    text = page(entries, command=_command(wishes))
    (FOLDER / "ledger.json").write_text(json.dumps(entries, indent=2) + "\n")
    (FOLDER / "ledger.md").write_text(text)
    if wishes.publish:
        PUBLISHED.write_text(text)
    console.print(Markdown(text))
    console.print(f"ledger: {_shown(FOLDER / 'ledger.md')} and ledger.json beside it")
    return 0 if entries["passed"] else 1


async def _run(plan: Plan, console: Console) -> dict[str, object]:
    console.print("starting RabbitMQ, PostgreSQL and the crew …")
    async with open_trial(plan) as trial:
        showing = asyncio.create_task(View(trial=trial, console=console).show())
        try:
            findings = await play(trial)
        finally:
            showing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await showing
        return ledger(trial, findings)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=_minutes, default=3.0, help="of load and faults; 3")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10_000), help="of load and plan; by chance"
    )
    parser.add_argument("--rate", type=float, default=600.0, help="jobs per second aimed at; 600")
    parser.add_argument("--apis", type=int, default=2)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--only", action="append", default=[], metavar="FAULT", help="this kind; repeatable")
    parser.add_argument("--without", action="append", default=[], metavar="FAULT", help="not this kind")
    parser.add_argument("--publish", action="store_true", help=f"write {_shown(PUBLISHED)} too")
    return parser


def _command(wishes: argparse.Namespace) -> str:
    """Return what repeats the trial: everything that was wished for, for the plan hangs on all of it."""
    words = [f"--seed {wishes.seed}", f"--rate {wishes.rate:g}", f"--apis {wishes.apis}"]
    words += [f"--workers {wishes.workers}"]
    words += [f'--{name} "{kind}"' for name in ("only", "without") for kind in getattr(wishes, name)]
    return f"make chaos CHAOS_MINUTES={wishes.minutes:g} ARGS='{' '.join(words)}'"


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes <= MINUTES_MAX:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most {MINUTES_MAX:,}, not {text}")
    return minutes


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
