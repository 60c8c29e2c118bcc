"""A file of jobs by the real command: killed in the middle and repeated, each line becomes one job."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from jobmill.adapters.sql import open_sql_store

from tests.e2e.mill import JOBMILL, Mill
from tests.servers.waiting import until

#: Commands start one after the other, and on a busy machine each takes seconds.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

LINES = 12_000
WITHIN_S = 60.0


@pytest.fixture(params=["embedded", "cluster"])
def mill(request: pytest.FixtureRequest) -> Mill:
    """A mill of either kind, its tables and queues not made yet."""
    found: Mill = request.getfixturevalue(request.param)
    return found


async def set_up(mill: Mill) -> None:
    assert (await mill.run("migrate"))[0] == 0
    if "JOBMILL_BROKER_URL" in mill.settings:
        assert (await mill.run("topology", "apply"))[0] == 0


@asynccontextmanager
async def command(mill: Mill, *words: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A command that can be written to; it is gone at the end."""
    process = await asyncio.create_subprocess_exec(
        JOBMILL,
        *words,
        cwd=mill.folder,
        env=mill.environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def url_of(mill: Mill) -> str:
    return mill.settings.get("JOBMILL_DATABASE_URL") or f"sqlite:///{mill.folder}/.jobmill/jobmill.db"


async def stored(mill: Mill, asked: str) -> Sequence[Sequence[object]]:
    async with open_sql_store(url_of(mill)) as store:
        return await store._database.read(text(asked))


async def until_stored(mill: Mill, jobs: int) -> None:
    async def so_many() -> bool:
        [[count]] = await stored(mill, "SELECT count(*) FROM jobs")
        return int(str(count)) >= jobs

    assert await until(so_many, within_s=WITHIN_S)


def line_of(number: int) -> str:
    """Half of the lines are the same as another."""
    return json.dumps({"duration_s": number // 2 / 1_000_000}) + "\n"


async def assert_each_line_once(mill: Mill, lines: int) -> None:
    payloads = Counter(str(payload) for (payload,) in await stored(mill, "SELECT payload FROM jobs"))
    assert payloads.total() == lines
    assert set(payloads.values()) == {2}


async def test_a_run_that_was_killed_goes_on_and_each_line_becomes_one_job(mill: Mill) -> None:
    await set_up(mill)
    lines = [line_of(number) for number in range(LINES)]
    (mill.folder / "jobs.ndjson").write_text("".join(lines))
    async with command(mill, "submit", "simulate", "--file", "-") as process:
        assert process.stdin is not None
        process.stdin.write("".join(lines[: LINES // 2]).encode())  # there is no end, so it goes on reading
        await until_stored(mill, 1)
        process.kill()
        await process.wait()

    code, told = await mill.run("submit", "simulate", "--file", "jobs.ndjson", "--json", within_s=WITHIN_S)

    assert code == 0, told
    summary = json.loads(told.splitlines()[-1])
    assert 0 < summary["already_there"] <= LINES // 2
    assert summary["already_there"] + summary["accepted"] == LINES
    await assert_each_line_once(mill, LINES)


async def test_a_stream_that_was_interrupted_says_how_far_it_came_and_goes_on(mill: Mill) -> None:
    await set_up(mill)
    lines = [line_of(number) for number in range(3_000)]
    words = ("submit", "simulate", "--file", "-", "--rejected", "bad.ndjson")
    async with command(mill, *words) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join([*lines[:2_000], "bad\n"]).encode())
        await process.stdin.drain()
        await until_stored(mill, 2_000)
        process.send_signal(signal.SIGINT)
        told = (await asyncio.wait_for(process.stdout.read(), WITHIN_S)).decode()
        code = await process.wait()

    assert code == 130, told
    assert "2,000 accepted, 0 already there, 1 rejected (bad.ndjson), " in told.splitlines()[-1], told
    assert "the same command goes on" in told
    assert json.loads((mill.folder / "bad.ndjson").read_text())["line"] == 2_001

    async with command(mill, *words) as process:
        out, _ = await process.communicate("".join(lines).encode())

    assert process.returncode == 0, out
    assert out.decode().splitlines()[-1].startswith("1,000 accepted, 2,000 already there, 0 rejected, ")
    assert not (mill.folder / "bad.ndjson").exists()
    await assert_each_line_once(mill, 3_000)


async def test_a_queue_with_no_room_is_waited_for_until_jobs_have_run(embedded: Mill) -> None:
    embedded.settings = {**embedded.settings, "JOBMILL_QUEUE_JOBS_MAX": "200"}
    up = embedded.start("up")
    await embedded.serves(up)
    (embedded.folder / "jobs.ndjson").write_text("{}\n" * 500)

    code, told = await embedded.run("submit", "simulate", "--file", "jobs.ndjson", within_s=WITHIN_S)

    assert code == 0, told
    assert "waiting: about 200 jobs wait in the queue 'simulate', 200 may" in told
    assert "going on" in told
    assert told.splitlines()[-1].startswith("500 accepted, 0 already there, 0 rejected, ")


async def test_a_bar_is_drawn_on_a_terminal(embedded: Mill) -> None:
    await set_up(embedded)
    (embedded.folder / "jobs.ndjson").write_text("{}\n" * 500)
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        JOBMILL,
        *("submit", "simulate", "--file", "jobs.ndjson"),
        cwd=embedded.folder,
        env={**embedded.environment(), "TERM": "xterm"},
        stdout=asyncio.subprocess.PIPE,
        stderr=theirs,
    )
    out, _ = await asyncio.wait_for(process.communicate(), WITHIN_S)
    os.close(theirs)
    drawn = os.read(ours, 65_536).decode()
    os.close(ours)

    assert process.returncode == 0, drawn
    assert "100 %" in drawn
    assert "500 lines" in drawn
    assert out.decode().startswith("500 accepted, 0 already there, 0 rejected, ")
