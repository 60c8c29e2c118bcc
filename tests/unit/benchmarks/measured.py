"""Short words for what the tests of the benchmark suite are about."""

from typing import Any

from benchmarks.results import Results
from benchmarks.samples import Sample


def a_sample(value: float | None = 100.0, **given: Any) -> Sample:
    """A drain of Jobmill by one worker, unless something else is said."""
    facts: dict[str, Any] = {"measure": "drain", "contender": "jobmill", "case": "1 worker", **given}
    return Sample(value=value, **facts)


def results_of(*samples: Sample, **given: Any) -> Results:
    facts: dict[str, Any] = {
        "date": "2030-01-31T08:00:00+00:00",
        "size": "full",
        "parts": ("drain",),
        "seconds": 60.0,
        "machine": {"cores": "2"},
        "versions": {"Python": "3.13.0"},
        "contenders": {
            "jobmill": {
                "title": "Jobmill",
                "settings": [{"name": "JOBMILL_LOG=warning", "why": "quiet", "source": "docs"}],
            },
            "celery": {"title": "Celery", "settings": []},
        },
        **given,
    }
    return Results(samples=samples, **facts)
