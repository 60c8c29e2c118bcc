"""The page that Prometheus reads."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from attrs import frozen
from prometheus_client import ProcessCollector, generate_latest
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
        parts: list[bytes] = []
        for family in self._families(store):
            parts.append(generate_latest(_Alone(family)))
            await asyncio.sleep(0)  # with many types the whole takes long, and jobs are run meanwhile
        return b"".join(parts)

    def _families(self, store: StoreFigures | None) -> Iterator[Metric]:
        process = self.process()
        yield from of_jobs(self.jobs)
        yield from of_requests(self.requests)
        yield from of_process(process)
        yield from of_store(store, process)
        yield from ProcessCollector(registry=None).collect()


@frozen
class _Alone(Collector):
    """A family, as the library takes it."""

    family: Metric

    def collect(self) -> Iterable[Metric]:
        return (self.family,)
