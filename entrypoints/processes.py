"""The processes: everything in one, the API alone, a worker alone."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jobmill.application.errors import SetupFault
from jobmill.application.handlers import Registry
from jobmill.entrypoints import collecting
from jobmill.entrypoints.banner import banner, shown_host
from jobmill.entrypoints.container import (
    Container,
    declared_registry,
    metrics_of,
    migrate_store,
    open_container,
    open_protection,
    open_registry,
)
from jobmill.entrypoints.dependencies import declaring, first_look, readiness_of, until_ready
from jobmill.entrypoints.engine import Engine
from jobmill.entrypoints.http.app import create_app, create_health_app
from jobmill.entrypoints.http.health import HealthRoutes
from jobmill.entrypoints.http.services import HttpServices
from jobmill.entrypoints.process_lock import make_home, process_lock
from jobmill.entrypoints.serving import (
    bind,
    bind_health,
    check_bind,
    check_metrics_bind,
    serve,
    serving,
    stop_on_signals,
)
from jobmill.entrypoints.settings import Settings
from jobmill.entrypoints.side_loop import run_aside

Say = Callable[[str], None]


async def run_up(settings: Settings, say: Say) -> None:
    """Run API, worker and chores in this process until it is told to stop.

    Raises:
        SetupFault: something a person has to mend, with the mend.
        Unavailable: a server of the settings cannot be reached.
    """
    check_bind(settings)
    stop = stop_on_signals()
    async with AsyncExitStack() as stack:
        make_home(settings.home)
        if settings.sqlite_file is not None:
            stack.enter_context(process_lock(_lock_file(settings.sqlite_file, settings)))
        sockets = bind(settings)
        for each in sockets:
            stack.callback(each.close)
        await migrate_store(settings)
        protection = await stack.enter_async_context(open_protection(settings))
        registry = await stack.enter_async_context(open_registry(settings, guard=protection))
        container = await stack.enter_async_context(open_container(settings, registry, protection=protection))
        if container.topology() is not None:
            await container.topology().apply()
        engine = _worker_engine(container, settings, watches_store=settings.is_embedded)
        failed = await stack.enter_async_context(engine.running())
        say(banner(settings, registry))
        app = create_app(_services(container, registry, settings, works=True))
        await _until_stopped(serve(app, sockets, stop=stop, on_stop=container.watch().stop), failed, stop)


async def run_api(settings: Settings, say: Say) -> None:
    """Serve HTTP and announce what is stored, until told to stop. Errors as in ``run_up``."""
    _refuse_embedded(settings, "api")
    check_bind(settings)
    stop = stop_on_signals()
    async with AsyncExitStack() as stack:
        sockets = bind(settings)
        for each in sockets:
            stack.callback(each.close)
        registry = declared_registry(settings)
        container = await stack.enter_async_context(open_container(settings, registry))
        await first_look(container.store())
        engine = Engine(
            relay=container.relay(),
            commits=container.commits(),
            store=container.store(),
            observer=container.observer(),
            types=container.types(),
        )
        failed = await stack.enter_async_context(engine.running())
        await stack.enter_async_context(declaring(container.topology(), failed))
        say(f"Jobmill {version('jobmill')} api   http://{shown_host(settings)}:{settings.port}")
        app = create_app(_services(container, registry, settings, works=False))
        await _until_stopped(serve(app, sockets, stop=stop, on_stop=container.watch().stop), failed, stop)


async def run_worker(settings: Settings, say: Say) -> None:
    """Run jobs until told to stop. Waits for its servers; errors as in ``run_up``."""
    _refuse_embedded(settings, "worker")
    check_metrics_bind(settings)
    stop = stop_on_signals()
    async with AsyncExitStack() as stack:
        protection = await stack.enter_async_context(open_protection(settings))
        registry = await stack.enter_async_context(open_registry(settings, guard=protection))
        container = await stack.enter_async_context(open_container(settings, registry, protection=protection))
        listener = bind_health(settings)
        stack.callback(listener.close)
        health = HealthRoutes(readiness=readiness_of(container), version=version("jobmill"))
        app = create_health_app(
            health,
            metrics_of(container, works=True),
            is_local=settings.is_metrics_local,
            new_id=container.entropy().job_id,
        )
        await stack.enter_async_context(serving(app, listener, stop=stop))
        ready = asyncio.create_task(until_ready(container.store(), container.topology()))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({ready, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            ready.cancel()
            return
        await ready
        engine = _worker_engine(container, settings, watches_store=False)
        failed = await stack.enter_async_context(engine.running())
        names, port = ", ".join(registry.queues), listener.getsockname()[1]
        say(f"Jobmill {version('jobmill')} worker   {settings.concurrency} slots   queues {names}")
        say(f"  health    http://localhost:{port}/health/ready")
        say(f"  metrics   http://localhost:{port}/metrics")
        await _until_stopped(stop.wait(), failed, stop)


def _lock_file(database: Path, settings: Settings) -> Path:
    """Return the lock that goes with a database: one beside it, whoever opens it from wherever."""
    if database.parent == settings.home:
        return settings.home / "lock"
    return database.with_name(f"{database.name}.lock")


def _worker_engine(container: Container, settings: Settings, *, watches_store: bool) -> Engine:
    return Engine(
        relay=container.relay(),
        commits=container.commits(),
        store=container.store(),
        observer=container.observer(),
        consumer=container.consumer(),
        keeper=container.keeper(),
        progress=container.progress(),
        leader=container.leader(),
        forwarder=container.forwarder(),
        follow_ups=container.follow_ups(),
        attendance=container.attendance(),
        protection=container.protection(),
        ingress=container.ingress(),
        types=container.types(),
        aside=run_aside,
        watches_store=watches_store,
        grace_s=settings.shutdown_grace_s,
    )


def _services(container: Container, registry: Registry, settings: Settings, *, works: bool) -> HttpServices:
    return HttpServices(
        submitter=container.submitter(),
        operator=container.operator(),
        inspector=container.inspector(),
        registry=registry,
        readiness=readiness_of(container),
        is_local=settings.is_local,
        version=version("jobmill"),
        providers=container.store().providers,
        metrics=metrics_of(container, works=works),
        watch=container.watch(),
    )


def _refuse_embedded(settings: Settings, command: str) -> None:
    if settings.is_embedded:
        raise SetupFault(
            f"`jobmill {command}` needs a broker that other processes reach: set JOBMILL_BROKER_URL, "
            "as in amqp://user:password@host/; for everything in one process use `jobmill up`"
        )


async def _until_stopped(
    main: Coroutine[Any, Any, object], failed: "asyncio.Future[None]", stop: asyncio.Event
) -> None:
    """Run ``main`` until it ends; a service that fails stops it and is raised."""
    collecting.settle()
    running = asyncio.create_task(main)
    either: set[asyncio.Future[Any]] = {running, failed}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await running
    if failed.done():
        await failed
