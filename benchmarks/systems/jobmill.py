"""Jobmill as a contender: its own commands, the settings that a user can set, and nothing else."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from attrs import evolve, field, frozen

from jobmill.adapters.rabbitmq.desired import Desired, desired_topology
from jobmill.entrypoints.container.job_types import declared_registry
from jobmill.entrypoints.settings import Settings

from benchmarks import postgres, rabbit
from benchmarks.bench import OWN_PYTHON, Bench, free_port
from benchmarks.children import Child, Command, run, running
from benchmarks.client import Load
from benchmarks.submitting import Submission, client, submit
from benchmarks.systems import jobmill_tables
from benchmarks.systems.system import Entrance, Pace, Purpose, Setting, System
from benchmarks.waiting import is_ready, until

_NAME: Final = "jobmill"
_JOBMILL: Final = str(OWN_PYTHON.with_name("jobmill"))
_HANDLERS: Final = "benchmarks.jobmill_app.handlers"
_SPREAD: Final = "benchmarks.jobmill_app.spread"
_SLOTS: Final = {Purpose.DRAIN: 1_000, Purpose.LATENCY: 1_000, Purpose.IO: 1_000, Purpose.IDLE: 100}
_CALLS: Final = 200
_BATCH_MAX: Final = 1_000
_START_WITHIN_S: Final = 30.0
_PUBLISH_WITHIN_S: Final = 600.0


@frozen(kw_only=True)
class Jobmill(System):
    """Jobmill on RabbitMQ and PostgreSQL.

    Args:
        payload_bytes: of the jobs that it is filled with.
        queues: over how many queues these are spread; 0 is the default one alone.
        fill_batch: jobs that are submitted together, and therefore travel together.
    """

    bench: Bench = field(repr=False)
    payload_bytes: int = 200
    queues: int = 0
    fill_batch: int = _BATCH_MAX
    name: str = _NAME
    title: str = "Jobmill"
    keeps: str = "state, result, history, outbox"
    settings: Sequence[Setting] = (
        Setting(
            name=f"JOBMILL_CONCURRENCY={_SLOTS[Purpose.DRAIN]:,} (drain, latency, io)",
            why="slots of one worker; its default is 100",
            source="docs/configuration.md",
        ),
        Setting(name="JOBMILL_LOG=warning", why="no line per job", source="docs/configuration.md"),
        Setting(
            name="JOBMILL_QUEUE_JOBS_MAX=100,000,000",
            why="a backlog of a million is one of the measurements",
            source="docs/configuration.md",
        ),
    )
    pace: Pace = Pace(single=8_000, batch=12_000, drain=10_000, io=1_800)
    takes_batches: bool = True
    uses_postgres: bool = True

    async def prepare(self) -> None:
        addresses = self.bench.addresses
        await postgres.create(addresses.postgres_url, addresses.database(_NAME))
        await run(self.command("migrate"), log=self.bench.log(_NAME, "migrate"))
        await self.declare()
        await self._meet_the_broker()

    async def _meet_the_broker(self) -> None:
        """Let a worker see the broker once: a leader announces all that waits to one it does not know."""
        self.bench.fresh_effects(1).close()  # whose file the handlers open, though none will run
        async with running(
            self.worker(0, Purpose.DRAIN, self.bench.noting()), log=self.bench.log(_NAME, "first worker")
        ):
            await until(
                lambda: jobmill_tables.knows_its_broker(self.url),
                within_s=_START_WITHIN_S,
                what="a worker knows the broker",
            )

    async def declare(self) -> None:
        """Make the queues that the job types need."""
        await run(self.command("topology", "apply"), log=self.bench.log(_NAME, "topology"))

    async def reset(self) -> None:
        # All but the marker that shows that the broker has not lost its messages.
        lanes = [each.name for each in self._topology().queues if not each.name.endswith(".epoch")]
        await rabbit.empty(self.bench.addresses.amqp_url, lanes)
        await jobmill_tables.empty(self.url)

    def entrance(self) -> Entrance:
        program = client(
            str(OWN_PYTHON), "benchmarks.jobmill_app.by_database", self.bench.environment(_NAME, {})
        )
        return Entrance(name="by database", program=program, in_flight=_CALLS)

    def http_entrance(self, port: int, *, in_flight: int) -> Entrance:
        """Return the way in by an API process that listens on ``port``."""
        env = self.bench.environment(_NAME, {"port": port, "queues": self.queues})
        program = client(str(OWN_PYTHON), "benchmarks.jobmill_app.by_http", env)
        return Entrance(name="by HTTP", program=program, in_flight=in_flight)

    @asynccontextmanager
    async def api(self) -> AsyncGenerator[tuple[Child, int]]:
        """Run an API process with its relay; yields it and its port once it serves."""
        port = free_port()
        async with running(
            self.command("api", "--port", str(port)), log=self.bench.log(_NAME, "api")
        ) as child:
            await until(lambda: is_ready(port), within_s=_START_WITHIN_S, what=f"jobmill api: {child.log}")
            yield child, port

    async def fill(self, jobs: int) -> None:
        async with self.api() as (_, port):
            await self.fill_by(port, jobs)
            await until(
                lambda: jobmill_tables.is_published(self.url),
                within_s=_PUBLISH_WITHIN_S,
                what="the relay publishes all",
            )

    async def fill_by(self, port: int, jobs: int, *, serving: tuple[int, ...] = ()) -> Submission:
        """Submit batches over HTTP."""
        load = Load(jobs=jobs, batch=self.fill_batch, in_flight=2, payload_bytes=self.payload_bytes)
        entrance = self.http_entrance(port, in_flight=2)
        return await submit(self.bench, entrance, load, log=_NAME, serving=serving, within_s=900)

    def worker(self, number: int, purpose: Purpose, env: Mapping[str, str]) -> Command:
        ours = {
            "JOBMILL_CONCURRENCY": str(_SLOTS[purpose]),
            "JOBMILL_METRICS_PORT": str(free_port()),
        }
        command = self.command("worker")
        return evolve(command, env={**command.env, **ours, **env})

    async def kept(self) -> int | None:
        return await jobmill_tables.unfinished(self.url)

    async def remove(self) -> None:
        addresses = self.bench.addresses
        topology = self._topology()
        await rabbit.delete(
            addresses.amqp_url,
            queues=[each.name for each in topology.queues],
            exchanges=[each.name for each in topology.exchanges],
        )
        await postgres.drop(addresses.postgres_url, addresses.database(_NAME))

    def command(self, *words: str) -> Command:
        """Return a command of Jobmill's on this bench."""
        return Command(words=[_JOBMILL, *words], env=self._env())

    @property
    def url(self) -> str:
        """The URL of its database."""
        return self.bench.addresses.database_url(_NAME)

    def _env(self) -> dict[str, str]:
        return {
            **self.bench.environment(_NAME, {}),
            "JOBMILL_DATABASE_URL": self.url,
            "JOBMILL_BROKER_URL": self.bench.addresses.amqp_url,
            "JOBMILL_PREFIX": self.bench.addresses.prefix,
            "JOBMILL_HANDLERS": f"{_HANDLERS},{_SPREAD}" if self.queues else _HANDLERS,
            "JOBMILL_HOME": str(self.bench.folder / "home"),
            "JOBMILL_LOG": "warning",
            "JOBMILL_QUEUE_JOBS_MAX": "100000000",
        }

    def _topology(self) -> Desired:
        """Return all that this contender may have made, whatever its number of queues is at the moment."""
        registry = declared_registry(Settings(handlers=(_HANDLERS, _SPREAD)))
        return desired_topology(self.bench.addresses.prefix, registry.queues)
