"""What a process shows of itself to Prometheus."""

from importlib.metadata import version
from typing import Any

from jobmill.adapters.prometheus import RequestMeter
from jobmill.adapters.prometheus.process_figures import ProcessFigures, Slots
from jobmill.application.store_look import StoreLook
from jobmill.entrypoints.container.graph import Container
from jobmill.entrypoints.metrics import Metrics


def metrics_of(container: Container, *, works: bool) -> Metrics:
    """Return the metrics of a process.

    Args:
        works: it runs jobs.
    """
    from jobmill.adapters.prometheus.page import MEDIA_TYPE, MetricsPage  # loaded only where it is shown

    store: Any = container.store()
    requests = RequestMeter()

    def process() -> ProcessFigures:
        slots = None
        if works:
            slots = Slots(size=container.concurrency(), in_use=container.consumer().running)
        return ProcessFigures(
            version=version("jobmill"),
            is_broker_up=container.bus().is_up,
            queues=container.registry().known_queues,
            pools=store.pools(),
            slots=slots,
            providers=container.protection().seen,
        )

    page = MetricsPage(
        jobs=container.job_meter(),
        requests=requests,
        process=process,
        look=StoreLook(finder=store.finder, providers=store.providers),
    )
    return Metrics(page=page.text, media_type=MEDIA_TYPE, measure=requests.measure)
