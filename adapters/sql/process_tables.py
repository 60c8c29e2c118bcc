"""The tables of what the processes know of themselves and of providers; see ``schema`` for all others."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

from jobmill.adapters.sql.column_types import INSTANT, JsonText, Word
from jobmill.domain.circuit_breaker import BreakerState

#: Of all tables.
metadata = MetaData()

#: The types of job that processes have declared here, one row for each schema that a name has had. ``schema``
#: has the JSON Schema of the payload and the components that it refers to.
job_types = Table(
    "job_types",
    metadata,
    Column("name", Text, primary_key=True),
    Column("hash", Text, primary_key=True),
    Column("rules", JsonText(dict), nullable=False),
    Column("schema", JsonText(dict), nullable=False),
    Column("declared_at", INSTANT, nullable=False),
)

#: The worker processes that live, or did a moment ago. ``types`` has the hash of each type by its name.
workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("started_at", INSTANT, nullable=False),
    Column("seen_at", INSTANT, nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("types", JsonText(dict), nullable=False),
)

#: What is known of the providers of the shipped types, one row each. ``calls`` has a list of slot, calls and
#: failures for each slot of the window.
providers = Table(
    "providers",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("state", Word(BreakerState), nullable=False),
    Column("since", INSTANT, nullable=False),
    Column("until", INSTANT),
    Column("openings", Integer, nullable=False),
    Column("successes", Integer, nullable=False),
    Column("probe", BigInteger),
    Column("calls", JsonText(list), nullable=False),
    Column("limits", JsonText(dict), nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", INSTANT, nullable=False),
)
