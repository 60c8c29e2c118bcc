"""The house rules hold for every file, and the functions that check them can see a fault."""

from pathlib import Path, PurePosixPath

import pytest

from tests.tidy.house import faults_in, faults_of
from tests.tidy.rules import LINES_MAX

ROOT = Path(__file__).parents[1]
START = '"""A module."""\n\n'

LATER = "TO" + "DO"
HOST = "https://py" + "pi.org/simple"


def test_the_whole_repository_is_tidy() -> None:
    faults = faults_in(ROOT)

    assert not faults, "\n" + "\n".join(faults)


def test_an_empty_repository_is_tidy(tmp_path: Path) -> None:
    assert faults_in(tmp_path) == []


def test_what_tools_made_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "theirs.py").write_text(f"# {LATER}\n")
    (tmp_path / "ours.md").write_text(f"{LATER}: write this\n")

    assert faults_in(tmp_path) == [f"ours.md: line 1: puts work off: {LATER}"]


@pytest.mark.parametrize(
    ("path", "code", "fault"),
    [
        ("domain/job.py", "x = 1\n", "docstring"),
        ("domain/job.py", START + "\n" * LINES_MAX, "lines"),
        ("domain/utils.py", START, "`utils` says nothing"),
        ("adapters/common/clock.py", START, "`common` says nothing"),
        ("application/relay.py", START + f"# {LATER}: later\n", "puts work off"),
        ("application/relay.py", START + "import time\ntime.sleep(1)\n", "sleeps"),
        ("application/relay.py", START + "from time import sleep\n", "sleeps"),
        ("application/relay.py", START + "import time as t\nt.sleep(1)\n", "sleeps"),
        ("tests/unit/test_job.py", START + "import time\ntime.sleep(1)\n", "sleeps"),
        ("entrypoints/worker.py", START + "print('hello')\n", "prints"),
        ("src/jobmill/testing.py", START + "print('hello')\n", "prints"),
        ("adapters/sql/schema.py", START + "import random\nrandom.random()\n", "chance"),
        ("adapters/sql/schema.py", START + "from random import Random\nRandom()\n", "without a seed"),
        ("adapters/sql/schema.py", START + "import random\nrandom.Random()\n", "without a seed"),
        ("adapters/sql/schema.py", START + "from secrets import token_hex\n", "chance"),
        ("adapters/sql/schema.py", START + "from uuid import uuid4\n", "uuid.uuid4"),
        ("adapters/sql/schema.py", START + "import uuid\nuuid.uuid4()\n", "uuid.uuid4"),
        ("adapters/sql/schema.py", START + "from datetime import datetime\ndatetime.now()\n", "datetime.now"),
        (
            "adapters/sql/schema.py",
            START + "import datetime as d\nd.datetime.now(d.UTC)\n",
            "datetime.now",
        ),
        ("adapters/sql/schema.py", START + "from datetime import datetime as d\nd.now()\n", "datetime.now"),
        ("adapters/sql/schema.py", START + "import time\ntime.time()\n", "time.time"),
        ("domain/job.py", START + "import time\nasked = time.time\n", "time.time"),
        ("docs/running.md", "See /ho" + "me/ada/jobmill for more.\n", "path of one machine"),
        ("Dockerfile", "COPY x /ro" + "ot/x\n", "path of one machine"),
        ("requirements.txt", f"--index-url {HOST}\n", "package registry"),
    ],
)
def test_a_fault_is_seen(path: str, code: str, fault: str) -> None:
    faults = list(faults_of(PurePosixPath(path), code.encode()))

    assert len(faults) == 1
    assert fault in faults[0]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("adapters/system/clock.py", START + "from datetime import UTC, datetime\n\ndatetime.now(UTC)\n"),
        ("adapters/system/entropy.py", START + "import secrets\nfrom uuid import uuid4\n"),
        ("adapters/memory/entropy.py", START + "from random import Random\nRandom(7)\n"),
        ("entrypoints/cli/main.py", START + "print('hello')\n"),
        ("tests/unit/test_job.py", START + "from uuid import uuid4\nprint(uuid4())\n"),
        ("application/relay.py", START + "def f(clock):\n    return clock.now(), 'print(1)'\n"),
        ("application/relay.py", START + "import time\ntime.monotonic()\n"),
        ("domain/job.py", START + "from uuid import UUID\n"),
        ("domain/job.py", START + "def f(random, time):\n    return random.random() + time.time()\n"),
        ("docs/http.md", "GET https://example.com/ho" + "me/ada is a path of no machine.\n"),
        ("logo.png", b"\x89PNG\xff".decode("latin-1")),
    ],
)
def test_what_is_allowed_passes(path: str, code: str) -> None:
    assert list(faults_of(PurePosixPath(path), code.encode("latin-1"))) == []
