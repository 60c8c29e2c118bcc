"""Waiting for what an example starts."""

import httpx

from tests.examples.copied import Example
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

WITHIN_S = 60.0


async def succeeds(example: Example, line: str) -> str:
    """Type a line that must end well; what it printed."""
    code, printed = await example.run(line)
    assert code == 0, f"{line}\n{printed}"
    return printed


async def answers(process: ServerProcess, url: str) -> None:
    """Wait until a process answers this address with 200."""

    async def is_ready() -> bool:
        try:
            return (await client.get(url)).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    async with httpx.AsyncClient() as client:  # one for all looks: making it takes longer than a look
        ready = await until(is_ready, within_s=WITHIN_S, hopeless=lambda: process.has_ended)
    assert ready, process.last_words()


async def prints(process: ServerProcess, words: str) -> None:
    """Wait until a process prints these words."""

    async def said() -> bool:
        return words in process.log.read_text()

    assert await until(said, within_s=WITHIN_S, hopeless=lambda: process.has_ended), process.last_words()
