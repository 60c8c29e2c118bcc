"""A process that comes to stand loads no library that its settings give no work."""

import asyncio
import subprocess
import sys
from pathlib import Path

from jobmill.adapters.sql import migrate

_STAND = """
import asyncio, sys
from pathlib import Path
from jobmill.entrypoints.container import migrate_store, open_container, open_registry
from jobmill.entrypoints.http.app import create_app
from jobmill.entrypoints.processes import _services
from jobmill.entrypoints.settings import Settings

async def stands():
    settings = Settings(home=Path(sys.argv[1]))
    await migrate_store(settings)
    async with open_registry(settings) as registry, open_container(settings, registry) as container:
        create_app(_services(container, registry, settings, works=True))
        print(*sorted(sys.modules), sep="\\n")

asyncio.run(stands())
"""
#: A twentieth of a second or more, each. Where pydantic is installed, litestar comes with plugins for it.
IDLE = ("alembic", "cryptography", "jinja2", "jwt", "litestar.plugins.pydantic", "redis")
AT_WORK = ("aiosqlite", "litestar", "sqlalchemy")


def test_what_the_settings_do_not_ask_for_is_not_loaded(tmp_path: Path) -> None:
    asyncio.run(migrate(f"sqlite:///{tmp_path / 'jobmill.db'}"))

    stood = subprocess.run(
        [sys.executable, "-c", _STAND, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert stood.returncode == 0, stood.stderr
    loaded = set(stood.stdout.splitlines())
    assert loaded.issuperset(AT_WORK)
    assert sorted(loaded.intersection(IDLE)) == []
