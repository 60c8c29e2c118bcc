"""How a command reaches the store: the settings of this place, a container opened for a moment."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from jobmill.application.handlers import Registry
from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.engine import Engine
from jobmill.entrypoints.log_setup import set_up_logging
from jobmill.entrypoints.settings import Settings
from jobmill.entrypoints.store_file import check_file

if TYPE_CHECKING:
    from jobmill.entrypoints.container import Container


def read_settings() -> Settings:
    """Read the settings for a command that prints its own results; raises ``WrongSettings``.

    Of the log, only errors appear between the results, unless everything is asked for.
    """
    settings = Settings.here(os.environ)
    set_up_logging("debug" if settings.log == "debug" else "error", settings.log_format or "console")
    return settings


@asynccontextmanager
async def open_services(
    settings: Settings, registry: Registry | None = None, *, announce: bool = False
) -> AsyncGenerator["Container"]:
    """Open the services on a store that is there and in order.

    Args:
        registry: the types the command has to know; none by default.
        announce: tell a broker at once of what gets stored, as well as that is possible by the end of the
            block. Otherwise, and with the bus of ``jobmill up``, the notices wait for another process.

    Raises:
        SetupFault: there is no database, or it needs a migration.
        StorageUnavailable: it cannot be reached.
    """
    from jobmill.entrypoints.container import open_container

    check_file(settings)
    with_bus = announce and not settings.is_embedded
    async with open_container(settings, registry or Registry([]), with_bus=with_bus) as container:
        await container.store().check()
        if not with_bus:
            yield container
            return
        engine = Engine(
            relay=container.relay(),
            commits=container.commits(),
            store=container.store(),
            observer=container.observer(),
        )
        async with engine.running():
            yield container


def warn_unannounced(settings: Settings, services: "Container", screen: Screen) -> None:
    """Say so if the broker hears of what is stored only later, from another process."""
    if not (settings.is_embedded or services.bus().is_up):
        screen.note("the broker takes nothing now: what is stored here is announced as soon as it does")
