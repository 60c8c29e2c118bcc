"""The server kit itself: what it starts answers, keeps its data, obeys, and is gone afterwards."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import aiormq
import asyncpg
import pytest

from tests.servers import ports
from tests.servers.amqp_place import AmqpPlace, amqp_place
from tests.servers.databases import Databases
from tests.servers.descendants import PROC, mentioning
from tests.servers.private_postgres import private_postgres
from tests.servers.private_rabbitmq import PrivateRabbit, private_rabbitmq
from tests.servers.private_server import PrivateServer
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

OpenServer = Callable[[], AbstractAsyncContextManager[PrivateServer]]

ROOT = Path(__file__).parents[2]
DURABLE = aiormq.spec.Basic.Properties(delivery_mode=2)


async def send(url: str, queue: str, body: bytes) -> None:
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    await channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
    await channel.basic_publish(body, routing_key=queue, properties=DURABLE)
    await connection.close()


async def take(url: str, queue: str) -> bytes:
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    message = await channel.basic_get(queue, no_ack=True)
    await connection.close()
    return message.body


async def fetch(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def queue_exists(url: str, queue: str) -> bool:
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    try:
        await channel.queue_declare(queue, passive=True)
    except aiormq.exceptions.ChannelNotFoundEntity:
        return False
    finally:
        await connection.close()
    return True


@pytest.mark.timeout(180)  # three starts of a broker, perhaps beside other test runs
async def test_a_private_rabbitmq_keeps_what_was_confirmed_over_a_restart_and_a_crash(
    own_rabbitmq: PrivateRabbit,
) -> None:
    await send(own_rabbitmq.url, "kept", b"first")
    await send(own_rabbitmq.url, "kept", b"second")

    await own_rabbitmq.restart()
    after_restart = await take(own_rabbitmq.url, "kept")
    await own_rabbitmq.kill()
    answered_while_dead = await own_rabbitmq.answers()
    await own_rabbitmq.start()

    assert after_restart == b"first"
    assert not answered_while_dead
    assert await take(own_rabbitmq.url, "kept") == b"second"


async def test_a_private_postgres_keeps_what_was_committed_over_a_restart_and_a_crash() -> None:
    async with private_postgres() as server:
        await fetch(server.url, "create table kept as select 7 as number")
        await server.restart()
        after_restart = await fetch(server.url, "select number from kept")
        await server.kill()
        answered_while_dead = await server.answers()
        await server.start()

        assert after_restart == 7
        assert not answered_while_dead
        assert await fetch(server.url, "select number from kept") == 7


async def test_a_frozen_server_hangs_and_a_thawed_one_answers() -> None:
    async with private_postgres() as server:
        server.freeze()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncpg.connect(server.url), timeout=0.5)
        server.thaw()

        assert await server.answers()


@pytest.mark.timeout(120)
@pytest.mark.skipif(not PROC.is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("kind", [private_rabbitmq, private_postgres])
async def test_private_servers_started_together_differ_and_leave_nothing_behind(kind: OpenServer) -> None:
    async with AsyncExitStack() as stack:
        one, other = await asyncio.gather(*(stack.enter_async_context(kind()) for _ in range(2)))
        places = [one.place, other.place]
        lived = [mentioning(str(place)) for place in places]

        assert one.url != other.url
        assert await one.answers()
        assert await other.answers()

    assert all(lived)
    assert [mentioning(str(place)) for place in places] == [[], []]
    assert not any(place.exists() for place in places)


@pytest.mark.skipif(not PROC.is_dir(), reason="looks for processes in /proc")
async def test_a_port_is_given_to_one_test_run_while_that_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    [port] = ports.free_ports(1)
    for bound in ("LOWEST", "HIGHEST"):
        monkeypatch.setattr(ports, bound, port)
    code = f"from tests.servers import ports; ports.LOWEST = ports.HIGHEST = {port}; ports.free_ports(1)"
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT, stderr=PIPE)

    _, said = await other.communicate()

    assert f"no 1 free ports between {port} and {port}" in said.decode()
    with pytest.raises(OSError, match="no 1 free ports"):
        ports.free_ports(1)


async def test_a_server_does_not_outlive_a_test_run_that_was_killed(tmp_path: Path) -> None:
    script = f"""
import os, pathlib
from tests.servers.private_server import PrivateServer
from tests.servers.process import ServerProcess
here = pathlib.Path({str(tmp_path)!r})
server = ServerProcess.start(["sleep", "600"], log=here / "log", cwd=here, env={{"JOBMILL_MARK": str(here)}})
print(server.pid, flush=True)
os._exit(9)
"""
    command = [sys.executable, "-c", script]
    run = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    printed, _ = await run.communicate()

    async def gone() -> bool:
        return mentioning(str(tmp_path)) == []

    assert printed.strip().isdigit()
    assert await until(gone, within_s=10)


async def test_a_server_that_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
    server = ServerProcess.start(
        ["/bin/sh", "-c", stubborn], log=tmp_path / "log", cwd=tmp_path, env=dict(os.environ)
    )

    async def ready() -> bool:
        return "ready" in server.last_words()

    assert await until(ready, within_s=10)

    await server.stop(signal.SIGTERM, within_s=0.2)

    assert server.has_ended


async def test_a_fresh_database_is_empty_and_dropped_whoever_is_connected(
    databases: Databases,
) -> None:
    async with databases.fresh() as url:
        await fetch(url, "create table mine (id int)")
        forgotten = await asyncpg.connect(url)
        async with databases.fresh() as other:
            tables = await fetch(other, "select count(*) from pg_tables where schemaname = 'public'")

    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(url)
    assert tables == 0
    forgotten.terminate()


async def test_a_database_can_be_copied_from_a_template(databases: Databases, postgres_url: str) -> None:
    await fetch(postgres_url, "create table kept as select 7 as number")

    async with databases.fresh(template=postgres_url) as copy:
        assert await fetch(copy, "select number from kept") == 7


async def test_a_database_of_somebody_else_is_never_dropped(databases: Databases) -> None:
    with pytest.raises(ValueError, match="not made by this test run"):
        await databases.drop("postgresql://postgres@127.0.0.1:5432/test")


async def test_a_place_on_the_broker_is_cleared_at_the_end(amqp: AmqpPlace) -> None:
    async with amqp_place(amqp.url) as place:
        place.uses("email")
        names = [f"{place.prefix}.email.high", f"{place.prefix}.retry.4", f"{place.prefix}.mine"]
        place.delete_later(queues=[names[-1]])
        for name in names:
            await send(place.url, name, b"left behind")

    assert [await queue_exists(amqp.url, name) for name in names] == [False, False, False]
