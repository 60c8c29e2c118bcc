"""The README is true: all that it has typed is typed, and prints what it says."""

from pathlib import Path

import pytest

from tests.examples.copied import copied
from tests.examples.readme import follow
from tests.servers.ports import free_ports

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


async def test_every_command_of_the_readme_prints_what_it_says(tmp_path: Path) -> None:
    [port] = free_ports(1)
    settings = {
        "JOBMILL_PORT": str(port),
        "JOBMILL_LOG_FORMAT": "console",
        "CALLS_URL": f"http://localhost:{port}",
    }
    async with copied("calls", tmp_path, settings) as example:
        typed = await follow(example, {3000: port})

    assert typed[0] == "make up"
    assert typed[-1] == "make load ARGS=500"
    assert len(typed) == 9
