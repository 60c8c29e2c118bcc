"""Servers that are stopped, crash, hang, run out of memory, or lose everything."""

import asyncio
import random
import shutil
from typing import Final

from tests.chaos.faults.scene import Aftermath, Fault, NotPossible, Scene, breathe
from tests.servers.errors import ServerFailed
from tests.servers.private_rabbitmq import PrivateRabbit
from tests.servers.private_server import PrivateServer

STARTS_MAX: Final = 3
CONTROL_WITHIN_S: Final = 30.0


async def stop_rabbit(scene: Scene, chance: random.Random) -> Aftermath:
    """In good order, as for an upgrade."""
    return await _stop(scene.stage.rabbit, chance)


async def kill_rabbit(scene: Scene, chance: random.Random) -> Aftermath:
    """As in a crash."""
    return await _kill(scene.stage.rabbit, chance)


async def hang_rabbit(scene: Scene, chance: random.Random) -> Aftermath:
    """It keeps its connections and answers nothing."""
    return await _hang(scene.stage.rabbit, chance)


async def wipe_rabbit(scene: Scene, chance: random.Random) -> Aftermath:
    """It comes back with neither messages nor queues nor exchanges."""
    rabbit = scene.stage.rabbit
    await rabbit.stop()
    await asyncio.to_thread(shutil.rmtree, rabbit.place / "data")
    await started(rabbit)
    return Aftermath()


async def starve_rabbit(scene: Scene, chance: random.Random) -> Aftermath:
    """The memory alarm: publishers are blocked."""
    rabbit = scene.stage.rabbit
    await control(rabbit, "set_vm_memory_high_watermark", "absolute", "1")
    try:
        await breathe(chance, 1.0, 4.0)
    finally:
        await control(rabbit, "set_vm_memory_high_watermark", "0.9")
    return Aftermath()


async def stop_postgres(scene: Scene, chance: random.Random) -> Aftermath:
    """Running transactions are broken off."""
    return await _stop(scene.stage.postgres, chance)


async def kill_postgres(scene: Scene, chance: random.Random) -> Aftermath:
    """As in a crash; it recovers from its log."""
    return await _kill(scene.stage.postgres, chance)


async def hang_postgres(scene: Scene, chance: random.Random) -> Aftermath:
    """It keeps its connections and answers nothing."""
    return await _hang(scene.stage.postgres, chance)


async def control(rabbit: PrivateRabbit, *words: str) -> None:
    """Run ``rabbitmqctl``; raises ``NotPossible`` where it fails."""
    process = await asyncio.create_subprocess_exec(
        str(rabbit.script.with_name("rabbitmqctl")),
        *words,
        env=rabbit.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(CONTROL_WITHIN_S):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        raise NotPossible(f"rabbitmqctl {words[0]} took too long") from None
    if process.returncode:
        raise NotPossible(f"rabbitmqctl {words[0]}: {output.decode(errors='replace')[-200:]}")


async def started(server: PrivateServer) -> None:
    """Start it, more than once if the machine is too busy for the first."""
    for tries_left in reversed(range(STARTS_MAX)):
        try:
            await server.start()
            return
        except ServerFailed:
            if not tries_left:
                raise


async def _stop(server: PrivateServer, chance: random.Random) -> Aftermath:
    await server.stop()
    await breathe(chance, 0.0, 3.0)
    await started(server)
    return Aftermath()


async def _kill(server: PrivateServer, chance: random.Random) -> Aftermath:
    await server.kill()
    await breathe(chance, 0.0, 3.0)
    await started(server)
    return Aftermath()


async def _hang(server: PrivateServer, chance: random.Random) -> Aftermath:
    server.freeze()
    try:
        await breathe(chance, 1.0, 6.0)
    finally:
        server.thaw()
    return Aftermath()


FAULTS: Final = (
    Fault(name="RabbitMQ stop, start", act=stop_rabbit),
    Fault(name="RabbitMQ kill -9, start", act=kill_rabbit),
    Fault(name="RabbitMQ hangs", act=hang_rabbit),
    Fault(name="RabbitMQ wiped", act=wipe_rabbit),
    Fault(name="RabbitMQ memory alarm", act=starve_rabbit),
    Fault(name="PostgreSQL stop, start", act=stop_postgres),
    Fault(name="PostgreSQL kill -9, start", act=kill_postgres),
    Fault(name="PostgreSQL hangs", act=hang_postgres),
)
