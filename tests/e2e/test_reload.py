"""``jobmill up --reload``: what is saved runs, and what cannot run is waited on."""

from pathlib import Path

import httpx
import pytest

from tests.e2e.mill import Mill, ended, submit
from tests.servers.descendants import descendants
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

pytestmark = pytest.mark.e2e

HANDLERS = """
from jobmill import JobHandlers

handlers = JobHandlers()


@handlers.register("greet")
async def greet(payload: dict[str, str]) -> str:
    return "%s"
"""


def save(mill: Mill, content: str) -> None:
    (mill.folder / "shop_jobs.py").write_text(content)


async def start(mill: Mill) -> ServerProcess:
    save(mill, HANDLERS % "hello")
    (mill.folder / "pyproject.toml").write_text('[tool.jobmill]\nhandlers = ["shop_jobs"]\n')
    process = mill.start("up", "--reload")
    await mill.serves(process)
    return process


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def came_up(process: ServerProcess, *, times: int) -> None:
    """Wait until the banner was printed so often."""

    async def counted() -> bool:
        return process.log.read_text().count("Ctrl-C (jobs are kept)") >= times

    assert await until(counted, within_s=30, hopeless=lambda: process.has_ended), process.last_words()


async def test_a_saved_file_runs_at_once_and_a_broken_one_is_waited_on(
    embedded: Mill, client: httpx.AsyncClient
) -> None:
    process = await start(embedded)
    before = await ended(client, (await submit(client, "greet", {}))["id"])

    save(embedded, HANDLERS % "good evening")
    await came_up(process, times=2)
    after = await ended(client, (await submit(client, "greet", {}))["id"])
    assert (before["result"], after["result"]) == ("hello", "good evening")

    save(embedded, "def greet(:\n")
    await embedded.says(process, "reload: ended with exit code 2; waiting for a change")
    assert "shop_jobs.py, line 1" in process.log.read_text()

    save(embedded, HANDLERS % "good night")
    await came_up(process, times=3)
    mended = await ended(client, (await submit(client, "greet", {}))["id"])
    assert mended["result"] == "good night"
    assert process.log.read_text().count("waiting for a change") == 1


async def test_a_changed_setting_counts_and_a_job_it_interrupts_burns_no_attempt(
    embedded: Mill, client: httpx.AsyncClient
) -> None:
    process = await start(embedded)
    job = await submit(client, "simulate", {"duration_s": 60})

    (embedded.folder / "pyproject.toml").write_text('[tool.jobmill]\nhandlers = ["no_such"]\n')
    await embedded.says(process, "no module 'no_such'")
    (embedded.folder / "pyproject.toml").write_text('[tool.jobmill]\nhandlers = ["shop_jobs"]\n')
    await came_up(process, times=2)

    async def runs_again() -> bool:
        seen = (await client.get(f"/api/jobs/{job['id']}")).json()
        return bool(seen["status"] == "processing" and seen["attempts"] == 1)

    assert await until(runs_again, within_s=20)


async def test_ctrl_c_ends_both(embedded: Mill) -> None:
    process = await start(embedded)
    [child] = descendants(process.pid)

    process.interrupt()

    assert await process.wait(within_s=20) == 0, process.last_words()
    assert not lives(child)
    assert "waiting for a change" not in process.log.read_text()


async def test_ctrl_c_while_a_broken_file_is_waited_on_ends_it(embedded: Mill) -> None:
    process = await start(embedded)
    save(embedded, "def greet(:\n")
    await embedded.says(process, "waiting for a change")

    process.interrupt()

    assert await process.wait(within_s=20) == 0, process.last_words()
