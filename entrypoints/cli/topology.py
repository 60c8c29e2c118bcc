"""The commands ``topology plan`` and ``topology apply``."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from cyclopts import App

from jobmill.application.ports.topology import PlanItem, PlanVerb, Topology
from jobmill.entrypoints.cli.exits import Exit, WrongUse
from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.cli.session import read_settings

app: Final = App(
    name="topology",
    help="Plan or create the broker's queues and exchanges.",
    help_epilogue="",
    version_flags=(),
    group_commands="Commands",
)


@app.command
async def plan() -> int:
    """Show what has to be created and what clashes; change nothing. Exit code 1 if anything clashes."""
    screen, items = Screen(), await _topology().plan()
    for item in items:
        if item.verb is not PlanVerb.KEEP:
            screen.say(f"{item.verb.value:<6}  {item.kind:<8}  {item.name}")
        if item.detail:
            screen.say(f"    {item.detail}")
    clashes = sum(item.verb is PlanVerb.CLASH for item in items)
    clashing = f"; clashing {clashes}" if clashes else ""
    screen.say(f"to create {_counted(items)}; unchanged {_unchanged(items)}{clashing}")
    return Exit.REFUSED if clashes else Exit.DONE


@app.command
async def apply() -> None:
    """Create what is missing. Harmless when repeated; nothing is changed if anything clashes."""
    items = await _topology().apply()
    Screen().say(f"created {_counted(items)}; unchanged {_unchanged(items)}")


def _topology() -> Topology:
    from jobmill.entrypoints.container import declared_registry, topology_of

    settings = read_settings()
    topology = topology_of(settings, declared_registry(settings))
    if topology is None:
        raise WrongUse("memory:// has no queues to look after; set JOBMILL_BROKER_URL to the amqp:// broker")
    return topology


def _counted(items: Sequence[PlanItem]) -> str:
    """Return ``31 queues, 17 exchanges`` for what has to be created."""
    kinds = Counter(item.kind for item in items if item.verb is PlanVerb.CREATE)
    return ", ".join(
        f"{kinds[kind]} {kind if kinds[kind] == 1 else kind + 's'}" for kind in ("queue", "exchange")
    )


def _unchanged(items: Sequence[PlanItem]) -> int:
    return sum(item.verb is PlanVerb.KEEP for item in items)
