"""What happens in a process and how the mill is, in the words of Prometheus.

The meters count in plain dictionaries, for whole batches of events at once. Only who exposes them loads the
library, which makes the page.
"""

from jobmill.adapters.prometheus.job_meter import JobMeter
from jobmill.adapters.prometheus.request_meter import RequestMeter

__all__ = ["JobMeter", "RequestMeter"]
