"""A new job as one statement with one parameter, for whatever cursor the caller has.

The parameter is a JSON text of plain values, so every driver takes it, and the text of the statement is
always the same. On PostgreSQL the statement writes all tables by itself; SQLite has no such statements, so
there it inserts into a view whose trigger does.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Dialect as Compiler
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from jobmill.adapters.sql.column_types import SPAN
from jobmill.adapters.sql.mapping import JOB, values_of
from jobmill.application.ports.enlisting import ParamStyle
from jobmill.application.ports.job_repository import NewJob
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.states import TERMINAL, JobState, Target

#: The place of the parameter, by the driver's style.
_PLACES: Final[Mapping[str, str]] = {
    "format": "%s",
    "pyformat": "%(request)s",
    "qmark": "?",
    "named": ":request",
    "numeric": ":1",
    "numeric_dollar": "$1",
}
_BY_NAME: Final = frozenset({"pyformat", "named"})
_COMPILERS: Final[Mapping[str, Callable[[], Compiler]]] = {
    "postgresql": postgresql.dialect,
    "sqlite": sqlite.dialect,
}

_COLUMNS: Final = ", ".join(column.name for column in JOB)
_FINISHED: Final = ", ".join(f"'{state.value}'" for state in sorted(TERMINAL, key=str))
#: Nobody keeps the key, and it is still the holder's that this statement sees: of a key that was taken a
#: moment ago the new job stands in no snapshot yet, and would be held for gone.
_IS_FREE: Final = f"""held.job_id IN (
    SELECT seen.job_id FROM job_keys AS seen WHERE seen.scope = held.scope AND seen.key = held.key
) AND NOT EXISTS (
    SELECT FROM jobs AS holder WHERE holder.id = held.job_id
    AND (holder.state NOT IN ({_FINISHED}) OR held.expires_at > statement_timestamp()))"""  # noqa: S608 - our own words


def _if_free(name: str) -> str:
    return f"{name} = CASE WHEN {_IS_FREE} THEN excluded.{name} ELSE held.{name} END"


# No colon and no percent sign stands in it but that of the place, whatever the style.
_POSTGRES: Final = f"""
WITH given AS MATERIALIZED (SELECT CAST({{place}} AS json) AS it),
job AS (SELECT one.* FROM given, json_populate_record(CAST(NULL AS jobs), given.it -> 'job') AS one),
claim AS (
    SELECT one.* FROM given,
    json_to_record(given.it -> 'key') AS one (scope text, key text, fingerprint text, hold interval)
    WHERE json_typeof(given.it -> 'key') = 'object'),
taken AS (
    INSERT INTO job_keys AS held (scope, key, job_id, fingerprint, expires_at)
    SELECT claim.scope, claim.key, job.id, claim.fingerprint, statement_timestamp() + claim.hold
    FROM claim, job
    ON CONFLICT (scope, key) DO UPDATE SET
        {_if_free("job_id")},
        {_if_free("fingerprint")},
        {_if_free("expires_at")}
    RETURNING held.job_id, held.fingerprint),
made AS (
    INSERT INTO jobs ({_COLUMNS}) SELECT {_COLUMNS} FROM job
    WHERE job.id = COALESCE((SELECT taken.job_id FROM taken), job.id)
    RETURNING jobs.id),
told AS (
    INSERT INTO outbox (id, job_id, version, stamp, queue, target, created_at, attended)
    SELECT job.stamp, job.id, job.version, job.stamp, job.queue, '{Target.QUEUE.value}',
        statement_timestamp(), false
    FROM job JOIN made ON made.id = job.id WHERE job.state = '{JobState.QUEUED.value}'),
tagged AS (
    INSERT INTO job_tags (tag, job_id)
    SELECT DISTINCT one.tag, made.id
    FROM made, given, json_array_elements_text(given.it -> 'tags') AS one (tag))
SELECT CAST(COALESCE(taken.job_id, job.id) AS text) AS id, made.id IS NOT NULL AS is_new,
    COALESCE(taken.fingerprint <> claim.fingerprint, false) AS conflicts
FROM job LEFT JOIN made ON true LEFT JOIN taken ON true LEFT JOIN claim ON true
"""  # noqa: S608 - our own words

_KEYS_OF_REQUEST: Final = "scope = request ->> '$.key.scope' AND key = request ->> '$.key.key'"
_SQLITE: Final = f"""
INSERT INTO new_jobs (request) VALUES ({{place}}) RETURNING
    COALESCE((SELECT job_id FROM job_keys WHERE {_KEYS_OF_REQUEST}), request ->> '$.job.id') AS id,
    EXISTS (SELECT 1 FROM jobs WHERE jobs.id = request ->> '$.job.id') AS is_new,
    EXISTS (
        SELECT 1 FROM job_keys WHERE {_KEYS_OF_REQUEST} AND fingerprint <> request ->> '$.key.fingerprint'
    ) AS conflicts
"""  # noqa: S608 - our own words
_TEXTS: Final[Mapping[str, str]] = {"postgresql": _POSTGRES, "sqlite": _SQLITE}


def statement_for(dialect: str, new: NewJob, style: ParamStyle) -> tuple[str, Any]:
    """Return the statement and its parameters.

    Args:
        dialect: ``postgresql`` or ``sqlite``.
        style: how the driver marks the place of a parameter.

    Raises:
        InvalidInput: the style is not known, or the job claims two keys, of which one statement could not
            take both or none.
    """
    if style not in _PLACES:
        known = ", ".join(_PLACES)
        raise InvalidInput(Fault(pointer="/paramstyle", detail=f"is {style!r}; known are {known}"))
    if len(new.keys) > 1:
        detail = "goes not together with an idempotency key in one statement; leave one of them out"
        raise InvalidInput(Fault(pointer="/unique", detail=detail))
    request = _request(_COMPILERS[dialect](), new)
    params = {"request": request} if style in _BY_NAME else (request,)
    return _TEXTS[dialect].strip().format(place=_PLACES[style]), params


def _request(compiler: Compiler, new: NewJob) -> str:
    job = {
        column.name: _plain(compiler, column.type, value)
        for column, value in zip(JOB, values_of(new.job), strict=True)
    }
    key = None
    for claim in new.keys:
        hold = _plain(compiler, SPAN, claim.hold)
        key = {"scope": claim.scope, "key": claim.key, "fingerprint": claim.fingerprint, "hold": hold}
    text = json.dumps({"job": job, "tags": list(new.job.tags), "key": key})
    if "\\u0000" in text.replace("\\\\", ""):
        detail = "a text holds a null character, which the database cannot keep"
        raise InvalidInput(Fault(pointer="", detail=detail))
    return text


def _plain(compiler: Compiler, kind: TypeEngine[Any], value: object) -> object:
    """Return a value as JSON has it and the column takes it."""
    processor = kind.dialect_impl(compiler).bind_processor(compiler)
    kept = processor(value) if processor is not None else value
    match kept:
        case datetime():
            return kept.isoformat()
        case timedelta():
            return f"{kept // timedelta(microseconds=1)} microseconds"
        case UUID():
            return str(kept)
        case _:
            return kept
