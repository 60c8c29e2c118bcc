"""The command ``migrate``."""

import asyncio

from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.cli.session import read_settings
from jobmill.entrypoints.process_lock import make_home


async def migrate() -> None:
    """Bring the database up to date, or create its tables. Harmless when repeated."""
    from jobmill.entrypoints.container import migrate_store

    settings, loop = read_settings(), asyncio.get_running_loop()
    file = settings.sqlite_file
    if file is not None and file.parent == settings.home:
        make_home(settings.home)
    began = loop.time()
    before, after = await migrate_store(settings)
    took = f"{loop.time() - began:.1f} s"
    Screen().say(f"{before} → {after}, {took}" if before != after else f"{after}, nothing to do, {took}")
