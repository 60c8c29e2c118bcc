"""The command ``types``."""

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from jobmill.application.errors import SetupFault, Unavailable
from jobmill.application.handlers import JobType
from jobmill.application.type_board import ForeignType
from jobmill.entrypoints.cli.durations import written
from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.cli.session import open_services, read_settings
from jobmill.entrypoints.http.views import encode


async def types(*, as_json: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """List the types of job: the shipped ones, those of your handlers, and those that workers have declared.

    Args:
        as_json: print each type as one line of JSON, with the schema of its payload.
    """
    from jobmill.entrypoints.container import declared_registry

    settings, screen = read_settings(), Screen()
    registry = declared_registry(settings)
    try:
        async with open_services(settings, registry) as services:
            await services.types().look()
    except (SetupFault, Unavailable):
        pass  # without a database there are the settings' own types
    declared, own = registry.known, registry.types
    if as_json:
        for each in declared:
            screen.json(encode({**_record(each), "declared_by": "settings" if each in own else "workers"}))
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
    for name, hashes in registry.board.doubles.items():
        screen.note(f"{name}: workers run it with {len(hashes)} different schemas; is a deploy under way?")


def _record(declared: JobType[Any] | ForeignType) -> dict[str, object]:
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


def _fields(declared: JobType[Any] | ForeignType) -> str:
    """Return the names of the payload's fields, those that may be left out with a question mark."""
    schema: Mapping[str, Any] = declared.schema.json_schema
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    described: Mapping[str, Any] = declared.schema.components.get(name, schema)  # type: ignore[assignment]
    required = described.get("required", ())
    return " ".join(field if field in required else f"{field}?" for field in described.get("properties", {}))
