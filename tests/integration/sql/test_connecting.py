"""Opening and closing clients: where they find Jobmill, and what they leave behind."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import jobmill
from jobmill import JobState

from tests.integration.sql.shop import Charge, charge

ROOT: Final = Path(__file__).parents[3]
#: Loaded only when a client is opened, since every process that declares handlers imports ``jobmill``.
HEAVY: Final = ("sqlalchemy", "aiohttp", "litestar", "asyncpg", "aiormq", "dependency_injector")


def test_importing_jobmill_loads_no_adapter() -> None:
    question = f"import sys, jobmill; print([name for name in {HEAVY!r} if name in sys.modules])"

    assert _python(question) == "[]"


async def test_without_a_url_the_environment_says_where(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBMILL_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("JOBMILL_HANDLERS", "tests.integration.sql.shop")

    async with jobmill.connect() as mill:
        job = await mill.submit("order.charge", {"order": 7})

    assert job.payload == {"order": 7}


async def test_a_url_is_enough_and_imports_no_code_of_the_users(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBMILL_HANDLERS", "no.such.module")

    async with jobmill.connect(sqlite_url) as mill:
        with pytest.raises(jobmill.UnknownType):
            await mill.submit("order.charge", {"order": 7})


async def test_where_no_jobmill_is_the_mend_is_named_and_no_file_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JOBMILL_DATABASE_URL", raising=False)

    with pytest.raises(jobmill.SetupFault, match="start `jobmill up` or set JOBMILL_DATABASE_URL"):
        await jobmill.connect().open()
    with pytest.raises(jobmill.SetupFault), jobmill.connect_sync() as mill:
        mill.list()

    assert [*tmp_path.iterdir()] == []  # noqa: ASYNC240 - a folder of the test's own


@pytest.mark.parametrize("url", ["mysql://host/s3cret", "http://?s3cret", "http://host?s3cret", "s3cret"])
async def test_a_url_of_another_kind_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(jobmill.SetupFault) as error:
        await jobmill.connect(url).open()

    assert "s3cret" not in str(error.value)


async def test_a_database_without_tables_says_how_to_get_them(empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).touch()  # noqa: ASYNC240 - one empty file

    async with jobmill.connect(empty_url) as mill:
        with pytest.raises(jobmill.SetupFault, match="jobmill migrate"):
            await mill.list()


async def test_a_framework_may_open_in_one_place_and_close_in_another(sqlite_url: str) -> None:
    connecting = jobmill.connect(sqlite_url)

    mill = await connecting.open()
    job = await mill.submit(charge, Charge(7))
    await connecting.close()
    await connecting.close()

    with pytest.raises(jobmill.ClientClosed):
        await mill.get(job)


def test_a_sync_client_is_closed_once_and_for_all(sqlite_url: str) -> None:
    mill = jobmill.connect_sync(sqlite_url)
    mill.submit(charge, Charge(7))
    mill.close()
    mill.close()

    with pytest.raises(jobmill.ClientClosed):
        mill.list()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "migrated_url")
    return found


def test_a_client_that_nobody_closes_lets_the_process_end_without_a_word(place: str) -> None:
    script = f"""
import jobmill
from tests.integration.sql.shop import Charge, charge
mill = jobmill.connect_sync({place!r})
print(mill.submit(charge, Charge(7)).status.value)
"""
    assert _python(script) == JobState.QUEUED.value


def test_after_a_fork_parent_and_child_go_on_with_connections_of_their_own(place: str) -> None:
    script = f"""
import os, sys
import jobmill
from tests.integration.sql.shop import Charge, charge
mill = jobmill.connect_sync({place!r})
job = mill.submit(charge, Charge(7))
child = os.fork()
if child == 0:
    mill.cancel(job)
    sys.exit(0)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), mill.get(job).status.value, len(mill.list()))
"""
    assert _python(script) == "0 cancelled 1"


def _python(script: str) -> str:
    """What another process prints; it must end well and say nothing else."""
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()
