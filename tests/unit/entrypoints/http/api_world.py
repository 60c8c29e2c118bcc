"""The whole HTTP application over stores in memory, and short words for what clients do."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

import httpx
from attrs import define, field, frozen
from litestar import Litestar

from jobmill.adapters.memory import ManualClock, MemoryStore, SeededEntropy
from jobmill.adapters.prometheus import JobMeter, RequestMeter
from jobmill.adapters.prometheus.page import MEDIA_TYPE, MetricsPage
from jobmill.adapters.prometheus.process_figures import ProcessFigures
from jobmill.adapters.system import FactLog
from jobmill.application.backlog import Backlog
from jobmill.application.commits import Commits
from jobmill.application.handlers import JobHandlers, Registry
from jobmill.application.inspector import Inspector
from jobmill.application.operator import Operator
from jobmill.application.ports.job_repository import NewJob, Saved
from jobmill.application.ports.quarantine import ForeignMessage
from jobmill.application.store_look import StoreLook
from jobmill.application.submitter import Submitter
from jobmill.domain.job import Job
from jobmill.domain.transition import Transition
from jobmill.entrypoints.http.app import create_app
from jobmill.entrypoints.http.services import OK, HttpServices
from jobmill.entrypoints.metrics import Metrics

PROBLEM: Final = "application/problem+json"

handlers = JobHandlers()

#: Undelivered jobs that a queue takes here.
QUEUE_JOBS_MAX: Final = 5_000


@frozen
class Email:
    recipient: str
    subject: str = ""
    body: str = ""


@frozen
class Size:
    width: int
    height: int


@frozen
class Thumbnail:
    picture: str
    sizes: list[Size]
    quality: float = 0.8
    mode: Literal["crop", "fit"] = "fit"


@handlers.register("email", queue="mail")
async def send_email(email: Email) -> None:
    """Nothing runs in these tests."""


@handlers.register("thumbnail.make", ttl=timedelta(hours=1))
async def make_thumbnail(order: Thumbnail) -> None:
    """Nothing runs in these tests."""


@handlers.register("anything")
async def do_anything(payload: dict[str, Any]) -> None:
    """Nothing runs in these tests."""


@define(kw_only=True, eq=False, slots=False)
class ApiWorld:
    """A served application and its clients.

    Args:
        trouble: raised by every statement on the store, if set.
        at_statement: called with the name of every statement, before and after it.
        parts: what readiness says.
    """

    is_local: bool = True
    registry: Registry = field(factory=lambda: Registry([handlers]))
    clock: ManualClock = field(factory=ManualClock)
    trouble: Exception | None = None
    at_statement: Callable[[str], None] = lambda _moment: None
    parts: dict[str, str] = field(factory=lambda: {"database": OK, "broker": OK})
    entropy: SeededEntropy = field(factory=lambda: SeededEntropy(7))

    def __attrs_post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock, faults=self._trouble)
        self.services = self._services()
        self.app: Litestar = create_app(self.services)

    def client(self, **settings: Any) -> httpx.AsyncClient:
        """Somebody who asks."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=transport, **{"base_url": "http://localhost:3000", **settings})

    async def get(self, path: str, **settings: Any) -> httpx.Response:
        async with self.client() as client:
            return await client.get(path, **settings)

    async def post(self, path: str, body: object = None, **settings: Any) -> httpx.Response:
        """Send a value as JSON, or bytes as they are with the word that they are JSON."""
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = ({} if raw is None else {"content-type": "application/json"}) | settings.pop("headers", {})
        async with self.client() as client:
            return await client.post(path, content=raw, headers=headers, **settings)

    async def submits(self, **request: Any) -> dict[str, Any]:
        """A job submitted as a client does it."""
        answer = await self.post("/api/jobs", an_email(**request))
        assert answer.status_code == 201, answer.text
        job: dict[str, Any] = answer.json()
        return job

    async def has(self, job: Job) -> Job:
        """A job stored as it is."""
        await self.store.jobs.add([[NewJob(job=job)]])
        return job

    async def saved(self, move: Transition) -> Job:
        """The job after a move."""
        [answer] = await self.store.jobs.save([move])
        assert isinstance(answer, Saved)
        return answer.job

    async def keeps(self, body: bytes, **facts: Any) -> ForeignMessage:
        """A foreign message in quarantine."""
        message = ForeignMessage(
            id=self.entropy.job_id(),
            received_at=self.clock.now(),
            source="mail.normal",
            reason="not a parcel",
            content_type="text/plain",
            headers={"x-from": "elsewhere"},
            body=body,
            **facts,
        )
        await self.store.quarantine.keep([message])
        return message

    @property
    def jobs(self) -> dict[UUID, Job]:
        """What is stored."""
        return self.store.tables.jobs

    def _trouble(self, moment: str) -> None:
        self.at_statement(moment)
        if self.trouble is not None:
            raise self.trouble

    def _services(self) -> HttpServices:
        store, entropy, clock = self.store, self.entropy, self.clock
        commits = Commits(jobs=store.jobs, entropy=entropy, observer=FactLog(), announce=lambda notices: None)
        submitter = Submitter(
            commits=commits,
            registry=self.registry,
            clock=clock,
            entropy=entropy,
            backlog=Backlog(finder=store.finder, jobs_max=QUEUE_JOBS_MAX),
        )
        operator = Operator(
            commits=commits,
            leases=store.leases,
            ended_jobs=store.ended_jobs,
            quarantine=store.quarantine,
            submitter=submitter,
            registry=self.registry,
            clock=clock,
            entropy=entropy,
        )
        return HttpServices(
            submitter=submitter,
            operator=operator,
            inspector=Inspector(
                finder=store.finder,
                quarantine=store.quarantine,
                ended_jobs=store.ended_jobs,
                providers=store.providers,
            ),
            registry=self.registry,
            readiness=self._readiness,
            is_local=self.is_local,
            version="0.0.7",
            providers=store.providers,
            metrics=self._metrics(),
        )

    def _metrics(self) -> Metrics:
        requests = RequestMeter()
        page = MetricsPage(
            jobs=JobMeter(),
            requests=requests,
            process=lambda: ProcessFigures(
                version="0.0.7", is_broker_up=True, queues=self.registry.known_queues, pools={}
            ),
            look=StoreLook(finder=self.store.finder, providers=self.store.providers),
        )
        return Metrics(page=page.text, media_type=MEDIA_TYPE, measure=requests.measure)

    async def _readiness(self) -> Mapping[str, str]:
        if self.trouble is not None:
            raise self.trouble
        return self.parts


def an_email(**request: Any) -> dict[str, Any]:
    """A request that is fine, but for what the test asks of it."""
    return {"type": "email", "payload": {"recipient": "ada@example.com"}, **request}


def pointers(answer: httpx.Response) -> Sequence[str]:
    """Where the faults of a problem lie."""
    return [fault["pointer"] for fault in answer.json()["errors"]]


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status and code of a refusal, which is one in every respect."""
    body = answer.json()
    assert answer.headers["content-type"] == PROBLEM
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:jobmill:problem:{body['code']}"
    assert body["instance"] == answer.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]
    return answer.status_code, body["code"]
