"""Looking every second: what is open, and how much memory the processes take."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Final

from attrs import define, field

from tests.chaos.crew import Crew
from tests.chaos.mix import OPEN
from tests.chaos.watch import Watch

EVERY_S: Final = 1.0
STATES: Final = "select state, count(*) from jobs where state = any($1::text[]) group by state"
_KIB_PER_MIB: Final = 1024


@define(kw_only=True)
class Sampler:
    """The newest figures, and the highest."""

    crew: Crew
    watch: Watch
    open: int = field(default=0, init=False)
    open_by_state: Counter[str] = field(factory=Counter, init=False)
    open_peak: int = field(default=0, init=False)
    #: The most that one process of a role ever took, in MiB.
    peak_mib: Counter[str] = field(factory=Counter, init=False)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            rows = await self.watch.rows(STATES, sorted(OPEN))
            self.open_by_state = Counter({row["state"]: row["count"] for row in rows})
            self.open = self.open_by_state.total()
            self.open_peak = max(self.open_peak, self.open)
            for member in self.crew.members:
                taken = resident_mib(member.pid)
                self.peak_mib[member.role] = max(self.peak_mib[member.role], taken)
            await asyncio.sleep(EVERY_S)


def resident_mib(pid: int) -> int:
    """Memory of a process at this moment; 0 where it has ended or the system does not tell."""
    try:
        lines = (Path("/proc") / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0
    kib = next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)
    return round(kib / _KIB_PER_MIB)
