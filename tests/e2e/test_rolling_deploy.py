"""A deploy under load: another release takes over process by process, and no job notices (B18, B19)."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from attrs import define, field

from tests.e2e.mill import Mill, all_jobs, running_mill
from tests.servers.amqp_place import AmqpPlace
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PAUSE_S: Final = 0.04
_HEAD: Final = """
import os
from pathlib import Path

from attrs import frozen

from jobmill import JobContext, JobHandlers

handlers = JobHandlers()


def note(job, what):
    line = f"{job.job_id} {job.type} {what}\\n"
    with Path(os.environ["EFFECTS"]).open("a") as file:
        file.write(line)
"""
OLD: Final = (
    _HEAD
    + """
@frozen
class Resize:
    width: int


@handlers.register("resize")
async def resize(order: Resize, job: JobContext) -> None:
    note(job, f"old {order.width}")


@handlers.register("fax")
async def fax(order: dict[str, int], job: JobContext) -> None:
    note(job, "old")
"""
)
NEW: Final = (
    _HEAD
    + """
@frozen
class Resize:
    width: int
    height: int


@handlers.register("resize", version=2, upcasters={1: lambda old: {**old, "height": 2 * old["width"]}})
async def resize(order: Resize, job: JobContext) -> None:
    note(job, f"new {order.width} {order.height}")


@handlers.register("stamp")
async def stamp(order: dict[str, int], job: JobContext) -> None:
    note(job, "new")
"""
)


@define(kw_only=True)
class Api:
    """An API process and which release it is of."""

    process: ServerProcess
    port: int
    is_new: bool


@define(kw_only=True)
class Load:
    """A client that submits again and again, at whichever API takes it."""

    apis: list[Api] = field(factory=list)
    accepted: dict[str, str] = field(factory=dict)
    refused: list[str] = field(factory=list)
    sends_faxes: bool = True
    _stop: asyncio.Event = field(factory=asyncio.Event)

    async def run(self) -> None:
        async with httpx.AsyncClient(timeout=10.0) as client:
            number = 0
            while not self._stop.is_set():
                number += 1
                await self._submit(client, number)
                try:
                    async with asyncio.timeout(PAUSE_S):
                        await self._stop.wait()
                except TimeoutError:
                    pass

    def stop(self) -> None:
        self._stop.set()

    async def _submit(self, client: httpx.AsyncClient, number: int) -> None:
        """A release that goes away in the middle is asked again elsewhere, under the same key."""
        for turn in range(20):
            api = self.apis[(number + turn) % len(self.apis)]
            kind, payload = self._order(number, is_new=api.is_new)
            try:
                answer = await client.post(
                    f"http://127.0.0.1:{api.port}/api/jobs",
                    json={"type": kind, "payload": payload},
                    headers={"idempotency-key": f"load-{number}-{api.is_new}"},
                )
            except httpx.TransportError:
                continue
            if answer.status_code in (httpx.codes.CREATED, httpx.codes.OK):
                self.accepted[answer.json()["id"]] = kind
                return
            self.refused.append(answer.text)
            return
        self.refused.append("nobody took it")

    def _order(self, number: int, *, is_new: bool) -> tuple[str, dict[str, int]]:
        if is_new:
            return ("stamp", {"n": number}) if number % 5 < 2 else ("resize", {"width": number, "height": 1})
        is_fax = number % 5 < 2 and self.sends_faxes
        return ("fax", {"n": number}) if is_fax else ("resize", {"width": number})


@define(kw_only=True)
class Deploy:
    """Both releases, each in its folder, on one database and one broker."""

    old: Mill
    new: Mill
    load: Load
    effects: Path

    async def api(self, mill: Mill, port: int) -> Api:
        mill.port = port
        process = mill.start("api", name=f"api-{port}")
        await mill.serves(process)
        api = Api(process=process, port=port, is_new=mill is self.new)
        self.load.apis.append(api)
        return api

    async def worker(self, mill: Mill, name: str) -> ServerProcess:
        process = mill.start("worker", name=name)
        await mill.says(process, "slots")
        return process

    async def retires(self, process: ServerProcess) -> None:
        self.load.apis = [each for each in self.load.apis if each.process is not process]
        process.terminate()
        assert await process.wait(within_s=20) == 0, process.last_words()

    def done(self) -> Counter[str]:
        """How often each job took effect."""
        text = self.effects.read_text() if self.effects.exists() else ""
        return Counter(line.split()[0] for line in text.splitlines())

    async def goes_on(self, kind: str, *, count: int) -> None:
        """Wait until the load has had so many more jobs of a type accepted."""
        target = Counter(self.load.accepted.values())[kind] + count

        async def enough() -> bool:
            return Counter(self.load.accepted.values())[kind] >= target

        assert await until(enough, within_s=30), self.load.refused[-3:]


@asynccontextmanager
async def two_releases(folder: Path, settings: dict[str, str]) -> AsyncGenerator[Deploy]:
    async with AsyncExitStack() as stack:
        mills = []
        for name, code in (("old", OLD), ("new", NEW)):
            place = folder / name
            place.mkdir()
            (place / "shop.py").write_text(code)
            mills.append(await stack.enter_async_context(running_mill(place, 1, settings)))
        effects = Path(settings["EFFECTS"])
        deploy = Deploy(old=mills[0], new=mills[1], load=Load(), effects=effects)
        yield deploy


async def test_a_rolling_deploy_under_load_fails_drops_and_burns_nothing(
    tmp_path: Path, amqp: AmqpPlace, postgres_url: str
) -> None:
    amqp.uses("call", "email", "push", "simulate", "sms", "webhook")
    settings = {
        "JOBMILL_DATABASE_URL": postgres_url,
        "JOBMILL_BROKER_URL": amqp.url,
        "JOBMILL_PREFIX": amqp.prefix,
        "JOBMILL_HANDLERS": "shop",
        "EFFECTS": str(tmp_path / "effects.log"),
    }
    async with two_releases(tmp_path, settings) as deploy:
        old, new, load = deploy.old, deploy.new, deploy.load
        for command in (("migrate",), ("topology", "apply")):
            code, printed = await old.run(*command)
            assert code == 0, printed
        ports = free_ports(4)
        old_apis = [await deploy.api(old, port) for port in ports[:2]]
        old_workers = [await deploy.worker(old, f"old-{number}") for number in range(2)]
        running = asyncio.create_task(load.run())
        await deploy.goes_on("fax", count=5)
        late = await _a_fax(ports[0], delay_s=600)

        code, printed = await new.run("doctor", "--before-deploy")
        assert code == 1
        assert f"{late}  scheduled   fax  /type: no handler declares the type 'fax'" in printed
        assert "resize" not in printed

        await deploy.worker(new, "new-0")
        await deploy.retires(old_workers[0])
        for api, port in zip(old_apis, ports[2:], strict=True):
            await deploy.api(new, port)
            await deploy.goes_on("stamp", count=5)
            await deploy.goes_on("resize", count=10)
            await deploy.retires(api.process)
        assert await until(lambda: _is_done(deploy, "fax"), within_s=60), (
            "an old worker runs what it alone knows"
        )
        await deploy.worker(new, "new-1")
        await deploy.retires(old_workers[1])
        await deploy.goes_on("stamp", count=5)
        load.stop()
        await running
        orphan = await _a_fax(ports[2])

        assert load.refused == []
        assert await until(lambda: _is_done(deploy), within_s=60)
        base_url = f"http://127.0.0.1:{ports[2]}"
        async with httpx.AsyncClient(base_url=base_url, timeout=30.0) as client:
            assert await until(lambda: _is_settled(client, orphan), within_s=20)
            jobs = {job["id"]: job for job in await all_jobs(client)}

        waiting = [jobs.pop(late), jobs.pop(orphan)]
        assert [(job["status"], job["attempts"]) for job in waiting] == [("scheduled", 0), ("retrying", 0)]
        assert set(jobs) == set(load.accepted)
        assert {(job["status"], job["attempts"]) for job in jobs.values()} == {("succeeded", 1)}
        assert deploy.done() == Counter(dict.fromkeys(load.accepted, 1))


async def _a_fax(port: int, *, delay_s: int = 0) -> str:
    """A job for which nobody is left by the end; a new API takes it by what the old workers stored."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        body = {"type": "fax", "payload": {"n": 0}, "delay_s": delay_s}
        answer = await client.post("/api/jobs", json=body)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return str(answer.json()["id"])


async def _is_done(deploy: Deploy, *kinds: str) -> bool:
    """All accepted jobs took effect, or all of these types."""
    done = deploy.done()
    return all(done[job] for job, kind in deploy.load.accepted.items() if not kinds or kind in kinds)


async def _is_settled(client: httpx.AsyncClient, orphan: str) -> bool:
    """Nothing runs any more, for an effect is written before its outcome, and the last fax has come round."""
    running: list[Any] = (await client.get("/api/jobs", params={"status": "processing", "limit": 1})).json()
    status: str = (await client.get(f"/api/jobs/{orphan}")).json()["status"]
    return not running and status == "retrying"
