"""The commands that stay: up, api, worker."""

import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import uvloop
from cyclopts import Parameter
from cyclopts.validators import Number

from jobmill.entrypoints.log_setup import set_up_logging
from jobmill.entrypoints.settings import CONCURRENCY_MAX, PORT_MAX, PREFIX, Settings

Port = Annotated[int | None, Parameter(validator=Number(gte=1, lte=PORT_MAX))]
Concurrency = Annotated[int | None, Parameter(validator=Number(gte=1, lte=CONCURRENCY_MAX))]
Process = Callable[[Settings, Callable[[str], None]], Coroutine[Any, Any, None]]


def up(
    *,
    host: str | None = None,
    port: Port = None,
    handlers: str | None = None,
    concurrency: Concurrency = None,
    reload: bool = False,
) -> None:
    """Run everything in one process: API, worker, database, queue.

    Needs nothing else. Jobs are kept in .jobmill and go on after a restart.

    Args:
        host: address to serve HTTP on; by default this machine only.
        port: port to serve HTTP on; by default 3000.
        handlers: modules with your handlers, with commas between them.
        concurrency: jobs that run at once; by default 100.
        reload: start anew whenever a Python file or pyproject.toml of this folder changes.
    """
    from jobmill.entrypoints import processes

    options = _given(host=host, port=port, handlers=handlers, concurrency=concurrency)
    if reload:
        _run(partial(_reloading, options), _settings(options))
    else:
        _run(processes.run_up, _settings(options))


def api(*, host: str | None = None, port: Port = None, handlers: str | None = None) -> None:
    """Serve HTTP; needs a broker and, elsewhere, workers.

    Args:
        host: address to serve HTTP on; by default this machine only.
        port: port to serve HTTP on; by default 3000.
        handlers: modules with your handlers, with commas between them.
    """
    from jobmill.entrypoints import processes

    _run(processes.run_api, _settings(_given(host=host, port=port, handlers=handlers)))


def worker(*, concurrency: Concurrency = None, handlers: str | None = None) -> None:
    """Run jobs; as many processes as you like, anywhere.

    Args:
        concurrency: jobs that run at once; by default 100.
        handlers: modules with your handlers, with commas between them.
    """
    from jobmill.entrypoints import processes

    _run(processes.run_worker, _settings(_given(concurrency=concurrency, handlers=handlers)))


def _given(**options: str | int | None) -> Mapping[str, str]:
    """Return the options that were given, as the environment would have them."""
    return {PREFIX + name.upper(): str(value) for name, value in options.items() if value is not None}


def _settings(options: Mapping[str, str]) -> Settings:
    """Lay the options over the environment and the project's table, which is checked whole all the same."""
    Settings.here(os.environ)
    return Settings.here({**os.environ, **options})


async def _reloading(options: Mapping[str, str], settings: Settings, say: Callable[[str], None]) -> None:
    """Run ``up`` below this process, which itself imports nothing of the project.

    The options stand in the child's environment, so that the rest of its settings is read anew each time.
    """
    from jobmill.entrypoints.reloading import GRACE_S, Reloader

    grace = {f"{PREFIX}SHUTDOWN_GRACE_S": str(min(GRACE_S, settings.shutdown_grace_s))}
    await Reloader(
        command=[sys.executable, sys.argv[0], "up"],
        env={**os.environ, **options, **grace},
        folder=Path.cwd(),
        say=say,
    ).run()


def _run(process: Process, settings: Settings) -> None:
    set_up_logging(settings.log, settings.log_format)
    uvloop.run(process(settings, lambda line: print(line, flush=True)))
