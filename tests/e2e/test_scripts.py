"""The plain scripts of the recipes, run as their users run them."""

import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from tests.e2e.mill import Mill, running_mill
from tests.projects.running import ROOT
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess

pytestmark = pytest.mark.e2e

SCRIPTS = "tests.projects.scripts"


async def run_script(mill: Mill, line: str) -> tuple[int, str]:
    """Run a line of the shell in the mill's folder; the exit code, and what was printed."""
    log = mill.folder / "script.log"
    env = {**mill.environment(), "PYTHONPATH": str(ROOT)}
    process = ServerProcess.start(["/bin/sh", "-c", line], log=log, cwd=mill.folder, env=env)
    code = await process.wait(within_s=30)
    return code, log.read_text()


async def test_a_script_submits_several_and_waits_for_them(tmp_path: Path) -> None:
    [port] = free_ports(1)
    settings = {"JOBMILL_HANDLERS": f"{SCRIPTS}.jobs", "PYTHONPATH": str(ROOT)}
    async with running_mill(tmp_path, port, settings) as mill:
        await mill.serves(mill.start("up"))
        line = f"{sys.executable} -m {SCRIPTS}.make_reports 2026-01 2026-02"

        first = await run_script(mill, line)
        (tmp_path / "script.log").unlink()
        again = await run_script(mill, line)

    assert (
        first
        == again
        == (
            0,
            "".join(
                f"{month} succeeded {{'file': 'reports/{month}.pdf'}}\n" for month in ("2026-01", "2026-02")
            ),
        )
    )


@pytest.mark.parametrize(
    ("lines", "code", "stored"), [("7\n8\n", 0, [7, 8]), ("7\neight\n", 1, [])], ids=["all", "none"]
)
async def test_a_script_with_a_cursor_stores_orders_and_jobs_or_neither(
    tmp_path: Path, migrated_url: str, lines: str, code: int, stored: list[int]
) -> None:
    (tmp_path / "orders.txt").write_text(lines)
    async with running_mill(tmp_path, 3000, {"JOBMILL_DATABASE_URL": migrated_url}) as mill:
        ended, printed = await run_script(mill, f"{sys.executable} -m {SCRIPTS}.import_orders < orders.txt")

    assert ended == code, printed
    assert await jobs_in(migrated_url) == [f'{{"order":{order}}}' for order in stored]


async def jobs_in(url: str) -> Sequence[str]:
    """The payloads of all jobs, in order."""
    connection = await asyncpg.connect(url)
    try:
        return [row["payload"] for row in await connection.fetch("SELECT payload FROM jobs ORDER BY payload")]
    finally:
        await connection.close()
