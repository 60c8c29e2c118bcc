"""A page of metrics, made of what a test lets happen, and read as Prometheus does."""

from collections.abc import Mapping, Sequence

from attrs import define, field
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from jobmill.adapters.memory import ManualClock, MemoryStore
from jobmill.adapters.prometheus import JobMeter, RequestMeter
from jobmill.adapters.prometheus.page import MetricsPage
from jobmill.adapters.prometheus.process_figures import ProcessFigures, Slots
from jobmill.application.guarded_provider import ProviderSeen
from jobmill.application.ports.job_repository import NewJob
from jobmill.application.ports.store import PoolUse
from jobmill.application.store_look import StoreLook
from jobmill.domain.circuit_breaker import BreakerState
from jobmill.domain.job import Job


@define(kw_only=True, eq=False, slots=False)
class MetricsWorld:
    """One process.

    Args:
        trouble: raised by every statement on the store, if set.
    """

    process: ProcessFigures = field(
        factory=lambda: ProcessFigures(
            version="1.2.3",
            is_broker_up=True,
            queues=("default", "mail"),
            pools={"general": PoolUse(size=10, in_use=3)},
            slots=Slots(size=100, in_use=7),
            providers=(
                ProviderSeen(name="sms:twilio", state=BreakerState.OPEN, pause_s=2.5, calls_max=900, calls=4),
            ),
        )
    )
    clock: ManualClock = field(factory=ManualClock)
    trouble: Exception | None = None
    jobs: JobMeter = field(factory=JobMeter)
    requests: RequestMeter = field(factory=RequestMeter)

    def __attrs_post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock, faults=self._trouble)
        self.page = MetricsPage(
            jobs=self.jobs,
            requests=self.requests,
            process=lambda: self.process,
            look=StoreLook(finder=self.store.finder, providers=self.store.providers),
        )

    async def has(self, *jobs: Job) -> None:
        """Jobs in the store."""
        await self.store.jobs.add([[NewJob(job=job)] for job in jobs])

    async def samples(self) -> Sequence[Sample]:
        """All that stands on the page."""
        text = (await self.page.text()).decode()
        return [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    async def values(self, name: str) -> Mapping[tuple[str, ...], float]:
        """The samples of one name, by the values of their labels in the order of the page."""
        return {
            tuple(sample.labels.values()): sample.value
            for sample in await self.samples()
            if sample.name == name
        }

    def _trouble(self, _moment: str) -> None:
        if self.trouble is not None:
            raise self.trouble
