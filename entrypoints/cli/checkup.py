"""The checks of ``jobmill doctor``: what holds, and of what does not, the mend."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

from attrs import frozen

from jobmill.application.errors import SetupFault, Unavailable
from jobmill.application.handlers import HandlerFault, Registry
from jobmill.application.ports.job_finder import JobFinder, JobQuery
from jobmill.application.ports.topology import PlanVerb, Topology
from jobmill.domain.states import TERMINAL, JobState
from jobmill.entrypoints.cli.session import open_services
from jobmill.entrypoints.container import Container, declared_registry, topology_of
from jobmill.entrypoints.settings import Settings

#: Times are judged by the database's clock; a machine whose own differs by more shows wrong ages and logs.
CLOCK_DIFFERENCE_MAX: Final = timedelta(seconds=5)
_UNFINISHED: Final = frozenset(JobState) - TERMINAL


@frozen(kw_only=True)
class Finding:
    """What one check found: ``mend`` says what to do, None where all is well."""

    check: str
    detail: str = ""
    mend: str | None = None


async def examine(settings: Settings) -> AsyncGenerator[Finding]:
    """Yield one finding for each check; what cannot be checked without another is left out."""
    yield Finding(check="settings", detail="read")
    registry = Registry([])
    try:
        registry = declared_registry(settings)
    except (SetupFault, HandlerFault) as fault:
        yield Finding(check="handlers", mend=str(fault))
    else:
        yield Finding(check="handlers", detail=f"{len(registry.types)} types")
    yield await _broker(topology_of(settings, registry))
    async with AsyncExitStack() as stack:
        try:
            services = await stack.enter_async_context(open_services(settings, registry))
        except (SetupFault, Unavailable) as error:
            yield Finding(check="database", mend=str(error))
            return
        yield Finding(check="database", detail="reachable, its tables are up to date")
        for name, look in _OF_DATABASE.items():
            try:
                yield await look(services)
            except Unavailable as error:
                yield Finding(check=name, mend=str(error))


async def _broker(topology: Topology | None) -> Finding:
    if topology is None:
        return Finding(check="broker", detail="none, the bus is in the process of `jobmill up`")
    try:
        items = await topology.plan()
    except (SetupFault, Unavailable) as error:
        return Finding(check="broker", mend=str(error))
    missing = sum(item.verb is PlanVerb.CREATE for item in items)
    if clash := next((item for item in items if item.verb is PlanVerb.CLASH), None):
        return Finding(check="broker", mend=f"{clash.kind} {clash.name}: {clash.detail}")
    if missing:
        mend = f"{missing} queues and exchanges are missing; run `jobmill topology apply`"
        return Finding(check="broker", mend=mend)
    return Finding(check="broker", detail=f"reachable, {len(items)} queues and exchanges as they should be")


async def _durability(services: Container) -> Finding:
    weakness = await services.store().weakness()
    return Finding(check="durability", detail="a commit outlives the power", mend=weakness)


async def _workers(services: Container) -> Finding:
    await services.types().look()
    workers = services.registry().board.workers
    slots = sum(each.card.concurrency for each in workers)
    if not workers:
        return Finding(check="workers", mend="none lives; start `jobmill worker`, or `jobmill up`")
    return Finding(check="workers", detail=f"{len(workers)} live, {slots} slots")


async def _types(services: Container) -> Finding:
    registry, finder = services.registry(), services.store().finder
    await services.types().look()
    own = [each.name for each in registry.types]
    idle = [name for name in own if not registry.board.is_run(name)]
    others = [each.name for each in registry.board.types if each.name not in own]
    idle += [name for name in others if not registry.board.is_run(name) and await _waits(finder, name)]
    if idle and registry.board.workers:
        mend = f"no living worker runs {', '.join(sorted(idle))}; start one with their handlers"
        return Finding(check="types", mend=mend)
    return Finding(check="types", detail="every type that is declared or waited for has a worker")


async def _ingress(services: Container) -> Finding:
    """Types that a binding names, and that nobody has declared: each of its messages would be refused."""
    bindings, registry = services.bindings(), services.registry()
    await services.types().look()
    unknown = [
        f"{name} (binding {each.name})"
        for each in bindings
        for name in sorted({*each.types.values(), *([each.type] if each.type else [])})
        if registry.find_known(name) is None
    ]
    queues = [each for each in bindings if each.job_queue not in {None, *registry.known_queues}]
    if unknown:
        mend = f"no type is called {', '.join(unknown)}; start a worker with their handlers, or mend the name"
        return Finding(check="ingress", mend=mend)
    if queues:
        named = ", ".join(f"{each.job_queue} (binding {each.name})" for each in queues)
        return Finding(check="ingress", mend=f"no queue is called {named}; mend job_queue of the binding")
    return Finding(check="ingress", detail=f"reads {', '.join(each.queue for each in bindings)}")


async def _schemas(services: Container) -> Finding:
    await services.types().look()
    doubles = services.registry().board.doubles
    if doubles:
        names = ", ".join(doubles)
        mend = (
            f"workers run {names} with different schemas; finish the deploy, and raise version= if it changed"
        )
        return Finding(check="schemas", mend=mend)
    return Finding(check="schemas", detail="one for each type that runs")


async def _clocks(services: Container) -> Finding:
    here, there = services.wall().now(), services.store().clock.now()
    difference = abs(here - there)
    said = f"{difference.total_seconds():.1f} s between this machine and the database"
    if difference > CLOCK_DIFFERENCE_MAX:
        return Finding(check="clock", mend=f"{said}; let both follow the same time servers")
    return Finding(check="clock", detail=said)


async def _waits(finder: JobFinder, name: str) -> bool:
    return bool(await finder.page(JobQuery(states=_UNFINISHED, type=name, limit=1)))


_OF_DATABASE: Final[dict[str, Callable[[Container], Awaitable[Finding]]]] = {
    "durability": _durability,
    "workers": _workers,
    "types": _types,
    "schemas": _schemas,
    "ingress": _ingress,
    "clock": _clocks,
}
