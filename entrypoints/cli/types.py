"""The command ``types``."""

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from jobmill.application.handlers import JobType
from jobmill.entrypoints.cli.durations import written
from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.cli.session import read_settings
from jobmill.entrypoints.http.views import encode


def types(*, as_json: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """List the types of job that the settings declare: the shipped ones and those of your handlers.

    Args:
        as_json: print each type as one line of JSON, with the schema of its payload.
    """
    from jobmill.entrypoints.container import declared_registry

    declared, screen = declared_registry(read_settings()).types, Screen()
    if as_json:
        for each in declared:
            screen.json(encode(_record(each)))
        return
    rows = [
        (
            each.name,
            each.rules.queue,
            str(each.rules.retry.max_attempts),
            written(each.rules.timeout),
            _fields(each),
        )
        for each in declared
    ]
    screen.table(("TYPE", "QUEUE", "ATTEMPTS", "TIMEOUT", "PAYLOAD"), rows)


def _record(declared: JobType[Any]) -> dict[str, object]:
    rules = declared.rules
    return {
        "type": declared.name,
        "queue": rules.queue,
        "priority": rules.priority.value,
        "max_attempts": rules.retry.max_attempts,
        "timeout_s": rules.timeout.total_seconds(),
        "ttl_s": None if rules.ttl is None else rules.ttl.total_seconds(),
        "payload": declared.schema.json_schema,
        "components": declared.schema.components,
    }


def _fields(declared: JobType[Any]) -> str:
    """Return the names of the payload's fields, those that may be left out with a question mark."""
    schema: Mapping[str, Any] = declared.schema.json_schema
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    described: Mapping[str, Any] = declared.schema.components.get(name, schema)  # type: ignore[assignment]
    required = described.get("required", ())
    return " ".join(field if field in required else f"{field}?" for field in described.get("properties", {}))
