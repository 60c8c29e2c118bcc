"""The live view: a table on a terminal, plain lines elsewhere."""

import asyncio
from collections import Counter
from typing import Final

from attrs import define, field
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tests.chaos.trial import Trial

EVERY_S: Final = 1.0
#: Plain lines come so rarely, faults at once.
LINE_EVERY_S: Final = 10.0
LAST_FAULTS: Final = 8


@define(kw_only=True)
class View:
    """Shows a trial until cancelled."""

    trial: Trial
    console: Console
    _told: int = field(default=0, init=False)

    async def show(self) -> None:
        """Show it in the way that fits the place."""
        await (self._live() if self.console.is_terminal else self._lines())

    async def _live(self) -> None:
        with Live(self._picture(), console=self.console, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(EVERY_S)
                live.update(self._picture(), refresh=True)

    async def _lines(self) -> None:
        line_s = 0.0
        while True:
            await asyncio.sleep(EVERY_S)
            for incident in self.trial.injector.incidents[self._told :]:
                self.console.print(f"{incident.ended_s:6.1f} s  {incident.kind}  {incident.aftermath.note}")
            self._told = len(self.trial.injector.incidents)
            if self._now_s() >= line_s:
                line_s = self._now_s() + LINE_EVERY_S
                self.console.print(self._summary())

    def _summary(self) -> str:
        trial = self.trial
        parts = (
            f"{self._now_s():6.1f} s  {trial.phase}",
            f"accepted {trial.book.accepted:,}",
            f"open {trial.sampler.open:,}",
            f"faults {len(trial.injector.incidents)}",
            "going on: " + (", ".join(each.kind for each in trial.injector.going_on) or "none"),
        )
        return "  ".join(parts)

    def _picture(self) -> Group:
        trial = self.trial
        states = Table("state", "open", title="open jobs")
        for state, count in sorted(trial.sampler.open_by_state.items()):
            states.add_row(state, f"{count:,}")
        faults = Table("fault", "made", title="faults")
        for kind, count in sorted(Counter(each.kind for each in trial.injector.incidents).items()):
            faults.add_row(kind, str(count))
        last = [
            f"{each.ended_s:6.1f} s  {each.kind}  {each.aftermath.note}"
            for each in trial.injector.incidents[-LAST_FAULTS:]
        ]
        return Group(Text(self._summary()), states, faults, Text("\n".join(last)))

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time() - self.trial.injector.began_s
