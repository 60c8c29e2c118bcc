"""Where a contender's program finds its servers and its options: in the environment."""

import json
import os
from collections.abc import Mapping
from typing import Any, Final

AMQP: Final = "JOBMILL_BENCH_AMQP_URL"
POSTGRES: Final = "JOBMILL_BENCH_POSTGRES_URL"
PREFIX: Final = "JOBMILL_BENCH_PREFIX"
OPTIONS: Final = "JOBMILL_BENCH_OPTIONS"


def amqp_url() -> str:
    return os.environ[AMQP]


def postgres_url() -> str:
    """Return the URL of this contender's own database."""
    return os.environ[POSTGRES]


def queue_name(what: str) -> str:
    """Return a name of this run for a queue or exchange."""
    return f"{os.environ[PREFIX]}.{what}"


def options() -> dict[str, Any]:
    """Return the contender's options for the instrument at hand."""
    return dict(json.loads(os.environ.get(OPTIONS, "{}")))


def as_text(its_options: Mapping[str, object]) -> str:
    """Return options as ``options`` reads them."""
    return json.dumps(dict(its_options))
