"""A peer: all that is known of it is data, and one piece of code runs them all."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
from attrs import field, frozen

from benchmarks import postgres, rabbit
from benchmarks.bench import Bench
from benchmarks.children import Command, Failed, run
from benchmarks.client import THREADS, Load
from benchmarks.submitting import client, submit
from benchmarks.systems.system import Entrance, Pace, Purpose, Setting, System

_CALLS: Final = 100
_FILL_BATCH: Final = 500


@frozen(kw_only=True)
class Facts:
    """What is known of a peer.

    Args:
        module: with its app and its ``Producer``.
        worker: the command, in which ``{bin}``, ``{python}``, ``{number}`` and the options are filled in.
        options: of its worker, for each purpose.
        queues: in RabbitMQ, without the prefix of the run.
        unfinished: a question to its own database; "" if it has none.
    """

    name: str
    title: str
    keeps: str
    module: str
    worker: str
    options: Mapping[Purpose, Mapping[str, Any]]
    settings: Sequence[Setting]
    pace: Pace
    threaded: bool = False
    queues: Sequence[str] = ()
    exchanges: Sequence[str] = ()
    unfinished: str = ""


@frozen(kw_only=True)
class Peer(System):
    """A peer on this bench."""

    facts: Facts = field(repr=False)
    bench: Bench = field(repr=False)

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def title(self) -> str:
        return self.facts.title

    @property
    def keeps(self) -> str:
        return self.facts.keeps

    @property
    def settings(self) -> Sequence[Setting]:
        return self.facts.settings

    @property
    def pace(self) -> Pace:
        return self.facts.pace

    @property
    def takes_batches(self) -> bool:
        return bool(self.facts.pace.batch)

    @property
    def uses_postgres(self) -> bool:
        return bool(self.facts.unfinished)

    async def prepare(self) -> None:
        if not self._python.exists():
            raise Failed(f"{self._python} is not there")
        if not self.uses_postgres:
            return
        await postgres.create(self.bench.addresses.postgres_url, self.bench.addresses.database(self.name))
        words = [str(self._python), "-m", "benchmarks.peers.install", self.facts.module]
        await run(Command(words=words, env=self._env({})), log=self.bench.log(self.name, "install"))

    async def reset(self) -> None:
        await rabbit.empty(self.bench.addresses.amqp_url, self._queues)
        if self.uses_postgres:
            tables = ", ".join(f'"{each}"' for each in await postgres.tables_of(self._url))
            await postgres.run(self._url, f"truncate {tables} restart identity cascade")

    def entrance(self) -> Entrance:
        return Entrance(
            name="threads" if self.facts.threaded else "tasks",
            program=client(str(self._python), self.facts.module, self._env({})),
            in_flight=THREADS if self.facts.threaded else _CALLS,
            threaded=self.facts.threaded,
        )

    async def fill(self, jobs: int) -> None:
        entrance = self.entrance()
        if self.takes_batches:
            load = Load(jobs=jobs, batch=_FILL_BATCH)
        else:
            load = Load(jobs=jobs, in_flight=entrance.in_flight)
        await submit(self.bench, entrance, load, log=self.name)
        if self.uses_postgres:  # as a server that has been up for longer has done by itself
            await postgres.run(self._url, "vacuum analyze")

    def worker(self, number: int, purpose: Purpose, env: Mapping[str, str]) -> Command:
        options = self.facts.options[purpose]
        words = self.facts.worker.split()
        filled = {"bin": self.bench.peers_bin, "python": self._python, "number": number, **options}
        return Command(words=[word.format(**filled) for word in words], env={**self._env(options), **env})

    async def kept(self) -> int | None:
        if self.uses_postgres:
            return int(await postgres.ask(self._url, self.facts.unfinished))
        return await rabbit.waiting(self.bench.addresses.amqp_url, self._queues[:1])

    async def remove(self) -> None:
        addresses = self.bench.addresses
        exchanges = [f"{addresses.prefix}.{each}" for each in self.facts.exchanges]
        await rabbit.delete(addresses.amqp_url, queues=self._queues, exchanges=exchanges)
        if self.uses_postgres:
            with contextlib.suppress(asyncpg.PostgresError):
                await postgres.drop(addresses.postgres_url, addresses.database(self.name))

    @property
    def _python(self) -> Any:
        return self.bench.peers_bin / "python"

    @property
    def _url(self) -> str:
        return self.bench.addresses.database_url(self.name)

    @property
    def _queues(self) -> Sequence[str]:
        return [f"{self.bench.addresses.prefix}.{each}" for each in self.facts.queues]

    def _env(self, options: Mapping[str, object]) -> dict[str, str]:
        return self.bench.environment(self.name, options)
