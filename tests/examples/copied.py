"""An example as a person has it: its folder, and a shell in which its commands are typed."""

import os
import shutil
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from attrs import define, field

from tests.servers.process import ServerProcess

CLONE: Final = Path(__file__).parents[2]
EXAMPLES: Final = CLONE / "examples"
#: Of the developer and of the make that runs the tests; neither is an example's business.
FOREIGN: Final = ("JOBMILL_", "PYTEST_", "MAKE", "MFLAGS", "ARGS")
LEFT_OUT: Final = shutil.ignore_patterns(".jobmill", "__pycache__", "tests")


@define(kw_only=True)
class Example:
    """A copy of one example, with whatever runs in it.

    Args:
        env: settings beside what every command finds in its environment.
    """

    name: str
    folder: Path
    env: Mapping[str, str] = field(factory=dict)
    _processes: list[ServerProcess] = field(init=False, factory=list)

    def start(self, line: str, *, log: str, env: Mapping[str, str] | None = None) -> ServerProcess:
        """Type a line that goes on; what it prints goes to ``<log>.log`` beside the copy."""
        process = ServerProcess.start(
            ["/bin/bash", "-c", line],
            log=self.folder.parent.parent / f"{log}.log",
            cwd=self.folder,
            env={**self._environment(), **(env or {})},
        )
        self._processes.append(process)
        return process

    async def run(self, line: str, *, within_s: float = 60.0) -> tuple[int, str]:
        """Type a line that ends; its exit code, and what it printed."""
        process = self.start(line, log=f"command-{len(self._processes)}")
        return await process.wait(within_s=within_s), process.log.read_text()

    async def end(self) -> None:
        """Kill whatever still runs."""
        for process in self._processes:
            await process.kill()

    def _environment(self) -> Mapping[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)}
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
        return {**kept, "PATH": path, "CLONE": str(CLONE), "READY": "", "COLUMNS": "200", **self.env}


@asynccontextmanager
async def copied(name: str, place: Path, env: Mapping[str, str]) -> AsyncGenerator[Example]:
    """A copy of the example in a folder of the test's own; what was started in it is gone at the end."""
    folder = place / "examples" / name
    shutil.copytree(EXAMPLES / name, folder, ignore=LEFT_OUT)
    for shared in EXAMPLES.iterdir():
        if shared.is_file():
            shutil.copy(shared, folder.parent)
    example = Example(name=name, folder=folder, env=env)
    try:
        yield example
    finally:
        await example.end()
