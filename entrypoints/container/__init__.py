"""The composition root: the one place that knows both services and adapters."""

from jobmill.entrypoints.container.graph import Container
from jobmill.entrypoints.container.http_access import open_http_access
from jobmill.entrypoints.container.job_types import declared_registry, open_registry
from jobmill.entrypoints.container.metrics import metrics_of
from jobmill.entrypoints.container.opening import migrate_store, open_container, topology_of
from jobmill.entrypoints.container.protection import open_protection

__all__ = [
    "Container",
    "declared_registry",
    "metrics_of",
    "migrate_store",
    "open_container",
    "open_http_access",
    "open_protection",
    "open_registry",
    "topology_of",
]
