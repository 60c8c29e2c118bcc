"""The physical limit as a contender: raw aiormq and raw asyncpg."""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import field, frozen

from benchmarks import postgres, rabbit
from benchmarks.bench import OWN_PYTHON, Bench
from benchmarks.children import Command
from benchmarks.client import Load
from benchmarks.limits import statements
from benchmarks.submitting import client, submit
from benchmarks.systems.system import Entrance, Pace, Purpose, Setting, System

_NAME: Final = "limit"
_FILL_BATCH: Final = 500


@frozen(kw_only=True)
class Limit(System):
    """Only the unavoidable: messages of 50 jobs, confirmed; a row per job, written, begun, done."""

    bench: Bench = field(repr=False)
    name: str = _NAME
    title: str = "aiormq + asyncpg, bare"
    keeps: str = "state"
    settings: Sequence[Setting] = (
        Setting(
            name="50 jobs a message, up to 500 a statement",
            why="a message costs as much as 50 rows",
            source="benchmarks/limits",
        ),
    )
    pace: Pace = Pace(single=1_000, batch=20_000, drain=22_000, io=1_000)
    takes_batches: bool = True
    uses_postgres: bool = True

    async def prepare(self) -> None:
        addresses = self.bench.addresses
        await postgres.create(addresses.postgres_url, addresses.database(_NAME))
        await postgres.run(self._url, statements.TABLE)
        async with rabbit.connected(addresses.amqp_url) as connection:
            channel = await connection.channel()
            await channel.queue_declare(self._queue, durable=True, arguments={"x-queue-type": "quorum"})

    async def reset(self) -> None:
        await rabbit.empty(self.bench.addresses.amqp_url, [self._queue])
        await postgres.run(self._url, "truncate work")

    def entrance(self) -> Entrance:
        program = client(str(OWN_PYTHON), "benchmarks.limits.producer", self.bench.environment(_NAME, {}))
        return Entrance(name="batches", program=program, in_flight=2)

    async def fill(self, jobs: int) -> None:
        await submit(self.bench, self.entrance(), Load(jobs=jobs, batch=_FILL_BATCH, in_flight=2), log=_NAME)

    def worker(self, number: int, purpose: Purpose, env: Mapping[str, str]) -> Command:
        environment = {**self.bench.environment(_NAME, {}), **env}
        return Command(words=[str(OWN_PYTHON), "-m", "benchmarks.limits.worker"], env=environment)

    async def kept(self) -> int | None:
        return int(await postgres.ask(self._url, statements.LEFT))

    async def remove(self) -> None:
        addresses = self.bench.addresses
        await rabbit.delete(addresses.amqp_url, queues=[self._queue])
        await postgres.drop(addresses.postgres_url, addresses.database(_NAME))

    @property
    def _url(self) -> str:
        return self.bench.addresses.database_url(_NAME)

    @property
    def _queue(self) -> str:
        return f"{self.bench.addresses.prefix}.limit"
