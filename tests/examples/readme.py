"""A README that is typed in and compared.

In a block that begins with ```` ```console ```` a line with ``$`` is typed, with the lines that continue it.
What stands below is what it prints, as ``printed.py`` compares it. ``make up`` goes on; what stands below it,
or in a block ```` ```log ````, has to appear in what it prints, soon.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from tests.examples.copied import Example
from tests.examples.printed import appear, fits, masked
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

WITHIN_S: Final = 60.0
BLOCK: Final = re.compile(r"^```(console|log)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GOES_ON: Final = "make up"
#: What a test cannot type, or need not: containers, and the tests themselves.
NOT_TYPED: Final = ("make full", "make test", "make clean")


@frozen(kw_only=True)
class Step:
    """A line to be typed, and what it is to print; no line for what ``make up`` prints meanwhile."""

    line: str | None
    printed: Sequence[str]


def steps_of(text: str) -> Iterator[Step]:
    """All that a README has typed, in its order."""
    for kind, block in BLOCK.findall(text):
        if kind == "log":
            yield Step(line=None, printed=block.splitlines())
            continue
        for piece in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = piece.splitlines()
            length = next(i for i, line in enumerate(lines, start=1) if not line.endswith("\\"))
            yield Step(line="\n".join(lines[:length]), printed=lines[length:])


async def follow(example: Example, ports: Mapping[int, int]) -> Sequence[str]:
    """Type the README of an example from top to bottom, and return the lines that were typed.

    Args:
        ports: where each port that the README names is in this test.

    Raises:
        AssertionError: a command prints something else.
    """
    up: ServerProcess | None = None
    done: list[str] = []
    for step in steps_of((example.folder / "README.md").read_text()):
        if step.line is None:
            assert up is not None, "a block of log comes after make up"
            await _prints(up, step, ports)
        elif step.line == GOES_ON:
            up = example.start(step.line, log="up")
            await _prints(up, step, ports)
            done.append(step.line)
        elif not step.line.startswith(NOT_TYPED):
            await _are_up(up, [here for named, here in ports.items() if f"localhost:{named}" in step.line])
            _, printed = await example.run(_moved(step.line, ports), within_s=WITHIN_S)
            assert fits(step.printed, masked(printed, ports)), _difference(step, printed)
            done.append(step.line)
    return done


async def _prints(up: ServerProcess, step: Step, ports: Mapping[int, int]) -> None:
    async def printed() -> bool:
        return appear(step.printed, masked(up.log.read_text(), ports))

    said = await until(printed, within_s=WITHIN_S, hopeless=lambda: up.has_ended)
    assert said, _difference(step, up.log.read_text())


async def _are_up(up: ServerProcess | None, ports: Sequence[int]) -> None:
    """Wait until somebody listens there: ``make up`` starts several processes, and prints a line of one."""
    for port in ports:

        async def listens(port: int = port) -> bool:
            try:
                _, writer = await asyncio.open_connection("localhost", port)
            except OSError:
                return False
            writer.close()
            return True

        heard = await until(listens, within_s=WITHIN_S, hopeless=lambda: up is None or up.has_ended)
        assert heard, f"nobody listens on port {port}"


def _moved(line: str, ports: Mapping[int, int]) -> str:
    for named, here in ports.items():
        line = line.replace(f"localhost:{named}", f"localhost:{here}")
    return line


def _difference(step: Step, printed: str) -> str:
    wanted = "\n".join(step.printed)
    return f"$ {step.line or GOES_ON}\nshould print:\n{wanted}\nand printed:\n{printed}"
