"""The page that Prometheus reads."""

from collections.abc import Callable, Iterator
from typing import Final

from attrs import frozen
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from jobmill.adapters.prometheus.families import of_jobs, of_process, of_requests, of_store
from jobmill.adapters.prometheus.job_meter import JobMeter
from jobmill.adapters.prometheus.process_figures import ProcessFigures
from jobmill.adapters.prometheus.request_meter import RequestMeter
from jobmill.application.store_look import StoreFigures, StoreLook

#: Whoever serves a text adds the charset, which is UTF-8.
MEDIA_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4.removesuffix("; charset=utf-8")


@frozen(kw_only=True)
class MetricsPage:
    """Puts together what the meters have counted with how this process and the store are."""

    jobs: JobMeter
    requests: RequestMeter
    process: Callable[[], ProcessFigures]
    look: StoreLook

    async def text(self) -> bytes:
        """Return the page as it is now; a store that is away is told there and keeps nothing else from it."""
        store = await self.look.figures()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Families(page=self, store=store))
        ProcessCollector(registry=registry)
        return generate_latest(registry)


@frozen(kw_only=True, eq=False)  # a registry keeps it as a key
class _Families(Collector):
    page: MetricsPage
    store: StoreFigures | None

    def collect(self) -> Iterator[Metric]:
        process = self.page.process()
        yield from of_jobs(self.page.jobs)
        yield from of_requests(self.page.requests)
        yield from of_process(process)
        yield from of_store(self.store, process)
