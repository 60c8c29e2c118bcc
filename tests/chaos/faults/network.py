"""A network that cuts, swallows and crawls, and connections that the servers themselves close."""

import random
from typing import Final

import asyncpg

from tests.chaos.faults.scene import Aftermath, Fault, NotPossible, Scene, breathe
from tests.chaos.faults.servers import control
from tests.chaos.wire import Wire

SHARES: Final = (0.3, 0.6, 1.0)
DELAYS_S: Final = (0.02, 0.1)
KILL_BACKENDS: Final = """\
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and random() < $1
"""


async def cut_broker(scene: Scene, chance: random.Random) -> Aftermath:
    """Some or all connections to RabbitMQ are reset."""
    return _cut(scene.stage.broker_wire, chance)


async def cut_database(scene: Scene, chance: random.Random) -> Aftermath:
    """Some or all connections to PostgreSQL are reset."""
    return _cut(scene.stage.database_wire, chance)


async def stall_broker(scene: Scene, chance: random.Random) -> Aftermath:
    """Nothing reaches RabbitMQ or comes from it, and nobody is told."""
    return await _stall(scene.stage.broker_wire, chance)


async def stall_database(scene: Scene, chance: random.Random) -> Aftermath:
    """Nothing reaches PostgreSQL or comes from it, and nobody is told."""
    return await _stall(scene.stage.database_wire, chance)


async def slow_down(scene: Scene, chance: random.Random) -> Aftermath:
    """Both servers are far away for a while."""
    delay_s = chance.uniform(*DELAYS_S)
    wires = (scene.stage.broker_wire, scene.stage.database_wire)
    for wire in wires:
        wire.slow(delay_s)
    try:
        await breathe(chance, 2.0, 4.0)
    finally:
        for wire in wires:
            wire.heal()
    return Aftermath(note=f"{delay_s * 1000:.0f} ms each way")


async def kill_backends(scene: Scene, chance: random.Random) -> Aftermath:
    """The database ends sessions, ours and the handlers' alike."""
    try:
        connection = await asyncpg.connect(scene.stage.database_url, timeout=5.0)
        try:
            count = await connection.fetchval(KILL_BACKENDS, chance.choice(SHARES), timeout=5.0)
        finally:
            connection.terminate()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise NotPossible(f"PostgreSQL does not answer: {error}") from error
    return Aftermath(note=f"{count} sessions")


async def close_connections(scene: Scene, chance: random.Random) -> Aftermath:
    """The broker ends all connections, and says so."""
    await control(scene.stage.rabbit, "close_all_connections", "trial")
    return Aftermath()


def _cut(wire: Wire, chance: random.Random) -> Aftermath:
    count = wire.cut(chance, share=chance.choice(SHARES))
    if not count:
        raise NotPossible("there is no connection")
    return Aftermath(note=f"{count} connections")


async def _stall(wire: Wire, chance: random.Random) -> Aftermath:
    wire.stall()
    try:
        await breathe(chance, 2.0, 8.0)
    finally:
        wire.heal()
    return Aftermath()


#: These last for a while, as an outage of a server does.
LASTING: Final = (
    Fault(name="network to RabbitMQ stalled", act=stall_broker),
    Fault(name="network to PostgreSQL stalled", act=stall_database),
    Fault(name="network slow", act=slow_down),
)
SUDDEN: Final = (
    Fault(name="network to RabbitMQ cut", act=cut_broker),
    Fault(name="network to PostgreSQL cut", act=cut_database),
    Fault(name="PostgreSQL ends sessions", act=kill_backends),
    Fault(name="RabbitMQ closes connections", act=close_connections),
)
