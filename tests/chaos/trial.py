"""One trial from beginning to end."""

import asyncio
import random
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
from attrs import define, field, frozen

from tests.chaos.audit import Findings, audit
from tests.chaos.book import Book
from tests.chaos.client import Client
from tests.chaos.faults.scene import Scene
from tests.chaos.faults.servers import started
from tests.chaos.injector import LANES, Injector, Lane
from tests.chaos.load import Load
from tests.chaos.operating import Operating
from tests.chaos.sampler import Sampler
from tests.chaos.stage import Stage, open_stage
from tests.chaos.watch import Watch
from tests.servers.waiting import until

#: Everything that was accepted must have ended by then.
DRAINS_WITHIN_S: Final = 240.0


@frozen(kw_only=True)
class Plan:
    """What a trial is to be.

    Args:
        seconds: of load and faults; start and drain come on top.
        open_max: jobs under way at once, beyond which the load waits.
        quiet_first_s: load without faults at the beginning.
    """

    seconds: float
    seed: int
    folder: Path
    jobs_per_s: float = 600.0
    open_max: int = 15_000
    apis: int = 2
    workers: int = 3
    slots: int = 100
    lanes: Sequence[Lane] = LANES
    quiet_first_s: float = 3.0


@define(kw_only=True)
class Trial:
    """What goes on, for those who look on, and what came of it."""

    plan: Plan
    stage: Stage
    book: Book
    injector: Injector
    sampler: Sampler
    phase: str = "load"
    seconds: float = 0.0
    drain_s: float = 0.0
    findings: Findings | None = field(default=None)


@asynccontextmanager
async def open_trial(plan: Plan) -> AsyncGenerator[Trial]:
    """Start servers and crew."""
    await asyncio.to_thread(shutil.rmtree, plan.folder, ignore_errors=True)
    plan.folder.mkdir(parents=True)
    chance, book = random.Random(plan.seed), Book()
    async with (
        open_stage(plan.folder, apis=plan.apis, workers=plan.workers, slots=plan.slots) as stage,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        client = Client(session=session, book=book, urls=stage.api_urls)
        scene = Scene(stage=stage, client=client, watch=Watch(url=stage.database_url))
        began_s = asyncio.get_running_loop().time()
        injector = Injector(
            scene=scene, lanes=plan.lanes, chance=random.Random(chance.random()), began_s=began_s
        )
        sampler = Sampler(crew=stage.crew, watch=Watch(url=stage.database_url))
        yield Trial(plan=plan, stage=stage, book=book, injector=injector, sampler=sampler)


async def play(trial: Trial) -> Findings:
    """Load and faults, then the drain, then the audit."""
    chance = random.Random(trial.plan.seed + 1)
    watchers = [
        asyncio.create_task(trial.stage.crew.supervise()),
        asyncio.create_task(trial.sampler.run()),
    ]
    try:
        await _stir(trial, chance)
        trial.phase = "drain"
        await _heal(trial.stage)
        await _drain(trial)
    finally:
        for each in watchers:
            each.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
    trial.phase = "audit"
    await trial.stage.crew.dismiss()
    trial.findings = await audit(trial.injector.scene.watch, trial.book, trial.injector.incidents)
    trial.findings.blame("processes that ended by themselves", trial.stage.crew.surprises)
    return trial.findings


async def _stir(trial: Trial, chance: random.Random) -> None:
    """Load with faults for as long as was asked, and what was begun by then to its end."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    client = trial.injector.scene.client
    load = Load(
        client=client,
        chance=random.Random(chance.random()),
        jobs_per_s=trial.plan.jobs_per_s,
        open_max=trial.plan.open_max,
        count_open=lambda: trial.sampler.open,
    )
    operating = Operating(client=client, book=trial.book, chance=random.Random(chance.random()))
    trial.injector.began_s = loop.time()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run(stop))
        group.create_task(operating.run(stop))
        group.create_task(_faults(trial, stop))
        await asyncio.sleep(trial.plan.seconds)
        trial.phase = "last faults"
        stop.set()
    trial.seconds = loop.time() - trial.injector.began_s


async def _faults(trial: Trial, stop: asyncio.Event) -> None:
    await asyncio.sleep(trial.plan.quiet_first_s)
    await trial.injector.run(stop)


async def _heal(stage: Stage) -> None:
    """Nothing is broken from here on."""
    for wire in (stage.broker_wire, stage.database_wire):
        wire.heal()
    for server in (stage.rabbit, stage.postgres):
        server.thaw()
        await started(server)


async def _drain(trial: Trial) -> None:
    """Wait until nothing is open; what still is after this is lost."""

    async def drained() -> bool:
        return await trial.injector.scene.watch.count_open() == 0

    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await until(drained, within_s=DRAINS_WITHIN_S)
    trial.drain_s = loop.time() - began_s
