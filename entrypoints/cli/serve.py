"""The commands that stay: up, api, worker."""

import os
from collections.abc import Callable, Coroutine
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
) -> None:
    """Run everything in one process: API, worker, database, queue.

    Needs nothing else. Jobs are kept in .jobmill and go on after a restart.

    Args:
        host: address to serve HTTP on; by default this machine only.
        port: port to serve HTTP on; by default 3000.
        handlers: modules with your handlers, with commas between them.
        concurrency: jobs that run at once; by default 100.
    """
    from jobmill.entrypoints import processes

    _run(processes.run_up, _settings(host=host, port=port, handlers=handlers, concurrency=concurrency))


def api(*, host: str | None = None, port: Port = None, handlers: str | None = None) -> None:
    """Serve HTTP; needs a broker and, elsewhere, workers.

    Args:
        host: address to serve HTTP on; by default this machine only.
        port: port to serve HTTP on; by default 3000.
        handlers: modules with your handlers, with commas between them.
    """
    from jobmill.entrypoints import processes

    _run(processes.run_api, _settings(host=host, port=port, handlers=handlers))


def worker(*, concurrency: Concurrency = None, handlers: str | None = None) -> None:
    """Run jobs; as many processes as you like, anywhere.

    Args:
        concurrency: jobs that run at once; by default 100.
        handlers: modules with your handlers, with commas between them.
    """
    from jobmill.entrypoints import processes

    _run(processes.run_worker, _settings(concurrency=concurrency, handlers=handlers))


def _settings(*, handlers: str | None, **options: str | int | None) -> Settings:
    """Lay the options over the environment and the project's table, which is checked whole all the same."""
    Settings.here(os.environ)
    options["handlers"] = handlers
    given = {PREFIX + name.upper(): str(value) for name, value in options.items() if value is not None}
    return Settings.here({**os.environ, **given})


def _run(process: Process, settings: Settings) -> None:
    set_up_logging(settings.log, settings.log_format)
    uvloop.run(process(settings, lambda line: print(line, flush=True)))
