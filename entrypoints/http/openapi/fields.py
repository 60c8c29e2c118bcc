"""The schemas of what a client may say: the options of a job, ids, filters."""

from collections.abc import Mapping
from typing import Final

from jobmill.application.handlers import Registry
from jobmill.application.inspector import PAGE_MAX
from jobmill.application.submitter import BATCH_MAX
from jobmill.domain.job_type import TIMEOUT_MAX, TTL_MAX
from jobmill.domain.options import DELAY_MAX, KEY_CHARS_MAX, TAG_CHARS_MAX, TAGS_MAX
from jobmill.domain.retry_policy import MAX_ATTEMPTS_LIMIT
from jobmill.domain.states import Priority
from jobmill.entrypoints.http.job_query import KINDS, ORDERS, PAGE_DEFAULT, STATUSES
from jobmill.entrypoints.http.query_string import WAIT, WAIT_S_MAX

Schema = dict[str, object]

#: Durations are kept in microseconds.
_SHORTEST_S: Final = 0.000001

#: A text that may become a header or stand in a log.
_LINE_PATTERN: Final = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$"


def line(description: str, *, chars_max: int = KEY_CHARS_MAX) -> Schema:
    """Return the schema of a short text without line breaks."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": chars_max,
        "pattern": _LINE_PATTERN,
        "description": description,
    }


def time(description: str) -> Schema:
    """Return the schema of a moment."""
    return {"type": "string", "format": "date-time", "description": description}


def _seconds(description: str, *, low: float, high: float) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high, "description": description}


def _hold() -> Schema:
    return _seconds("How long at least.", low=0, high=DELAY_MAX.total_seconds())


def option_schemas(registry: Registry) -> Mapping[str, Schema]:
    """Return the schema of every option of a job by its name."""
    key = line("Compared exactly.")
    return {
        "queue": {
            "enum": list(registry.known_queues),
            "description": "Where it waits; its type's queue by default.",
        },
        "priority": {
            "enum": [each.value for each in Priority],
            "description": "Among the jobs of its queue.",
        },
        "run_at": time("Not before this time; excludes delay_s. At most ten years ahead."),
        "delay_s": _seconds("Not before so many seconds from now.", low=0, high=DELAY_MAX.total_seconds()),
        "ttl_s": _seconds(
            "How long after its due time it may start, in seconds.",
            low=_SHORTEST_S,
            high=TTL_MAX.total_seconds(),
        ),
        "max_attempts": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_ATTEMPTS_LIMIT,
            "description": "Attempts in all.",
        },
        "timeout_s": _seconds(
            "How long one attempt may take, in seconds.", low=_SHORTEST_S, high=TIMEOUT_MAX.total_seconds()
        ),
        "correlation_id": line("Goes with the job into every line of the log."),
        "idempotency_key": line("The same request under the same key is answered with the first job."),
        "tenant": line("Whose job it is."),
        "tags": {
            "type": "array",
            "maxItems": TAGS_MAX,
            "items": line("One tag.", chars_max=TAG_CHARS_MAX),
            "description": "Words to find it by.",
        },
        "follows": {
            "description": "Comes after the success of this job: its id, or the number, from 0, of an "
            "earlier job of the same request. Cancelled if that one ends otherwise.",
            "anyOf": [
                {"type": "string", "format": "uuid"},
                {"type": "integer", "minimum": 0, "maximum": BATCH_MAX - 1},
            ],
        },
        "unique": {
            "description": "No second job of the type with this key, until this one is finished.",
            "anyOf": [
                key,
                {
                    "type": "object",
                    "required": ["key"],
                    "additionalProperties": False,
                    "properties": {"key": key, "hold_s": _hold()},
                },
            ],
        },
    }


_CURSOR: Final[Schema] = {"type": "string", "pattern": "^[A-Za-z0-9_-]{21}[AQgw]$"}


def _filter(name: str, schema: Schema, description: str, **more: object) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema, **more}


def _words(name: str, choices: Mapping[str, object], description: str) -> Schema:
    items = {"type": "string", "enum": list(choices)}
    schema: Schema = {"type": "array", "items": items, "minItems": 1}
    return _filter(name, schema, description, style="form", explode=True)


_OF_EVERY_LIST: Final = (
    _filter("type", line("A type."), "Only jobs of this type."),
    _filter("queue", line("A queue."), "Only jobs of this queue."),
    _filter("tag", line("A tag."), "Only jobs with this tag."),
    _filter("tenant", line("A tenant."), "Only jobs of this tenant."),
    _filter("correlation_id", line("A correlation id."), "Only jobs with this correlation id."),
    _filter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT},
        "How many at most.",
    ),
    _filter("cursor", _CURSOR, "From the header Link of the page before."),
)
JOB_FILTERS: Final = (
    _words("status", STATUSES, "Only jobs that stand so; repeated, or a list with commas."),
    _filter("order", {"type": "string", "enum": list(ORDERS), "default": "desc"}, "By creation."),
    _filter("created_from", time("A time."), "Only jobs made at this time or later."),
    _filter("created_before", time("A time."), "Only jobs made earlier than this."),
    *_OF_EVERY_LIST,
)
DEAD_LETTER_FILTERS: Final = (
    _words("kind", KINDS, "Only letters of this kind; repeated, or a list with commas."),
    *_OF_EVERY_LIST,
)
ID: Final[Schema] = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The id, a UUID.",
    "schema": {"type": "string", "format": "uuid"},
}
WAIT_FOR_END: Final = _filter(
    WAIT,
    {"type": "integer", "minimum": 0, "maximum": WAIT_S_MAX, "default": 0},
    "How many seconds to wait for the job to be finished; answered as it stands when they are over.",
)
IDEMPOTENCY_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "In quotes, or as it is; the same as `idempotency_key` in the body.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX, "pattern": "^[!#-~][!-~]*$"},
}
