"""The description as one document."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from jobmill.application.handlers import Registry
from jobmill.entrypoints.http.answers import PREFIX
from jobmill.entrypoints.http.openapi.fields import Schema
from jobmill.entrypoints.http.openapi.operations import (
    CHANGING,
    EVERYWHERE,
    LIST,
    OPERATIONS,
    Good,
    Operation,
)
from jobmill.entrypoints.http.openapi.schemas import named_schemas, ref
from jobmill.entrypoints.http.problems import KINDS, MEDIA_TYPE

_ABOUT: Final = """\
Durable background jobs: stored before they are accepted, run at least once, never lost.

Every refusal is a problem document (RFC 9457) with a stable `code`; its `instance` is the id of the request,
which also stands in the header `X-Request-Id` of every answer. Times are RFC 3339 in UTC, durations are
seconds. Every path is also there without `/api`.
"""
_HEADERS: Final[Mapping[str, Schema]] = {
    "Location": {"description": "Where the job can be read.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {"description": "No new job was made.", "schema": {"const": "true"}},
    "Link": {
        "description": 'The next page, if there is one: `<…>; rel="next"`.',
        "schema": {"type": "string"},
    },
    "X-Request-Id": {"description": "The id of the request.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
}


def openapi_document(registry: Registry, *, version: str) -> Schema:
    """Return the description of the API, its request bodies precise for the types of this process."""
    paths: dict[str, dict[str, object]] = defaultdict(dict)
    for operation in OPERATIONS:
        paths[operation.path][operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Jobmill",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": PREFIX}, {"url": "/"}],
        "paths": dict(paths),
        "components": {"schemas": named_schemas(registry), "headers": dict(_HEADERS)},
    }


def _operation(operation: Operation) -> Schema:
    changing = CHANGING if operation.method == "post" else ()
    refusals = _by_status((*operation.refusals, *changing, *EVERYWHERE))
    described: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.group],
        "parameters": list(operation.parameters),
        "responses": {
            **{str(status): _good(good) for status, good in operation.good.items()},
            **{str(status): _refusal(codes) for status, codes in refusals},
        },
    }
    if operation.body:
        schemas = [ref(name) for name in operation.body]
        described["requestBody"] = {
            "required": operation.is_body_required,
            "content": {
                "application/json": {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}
            },
        }
    return described


def _good(good: Good) -> Schema:
    return {"description": good.means, "headers": _headers(*good.headers), "content": _content(good)}


def _content(good: Good) -> Schema:
    if not good.schema:
        return {"text/plain": {"schema": {"type": "string"}}}
    one = ref(good.schema.removesuffix(LIST))
    schema: Schema = {"type": "array", "items": one} if good.schema.endswith(LIST) else one
    return {"application/json": {"schema": schema}}


def _refusal(codes: Sequence[str]) -> Schema:
    lines = (f"`{code}`: {KINDS[code].title.lower()}" for code in codes)
    is_passing = all(KINDS[code].status >= KINDS["unavailable"].status for code in codes)
    return {
        "description": "; ".join(lines) + ".",
        "headers": _headers(*(["Retry-After"] if is_passing else [])),
        "content": {MEDIA_TYPE: {"schema": ref("Problem")}},
    }


def _headers(*names: str) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names)}


def _by_status(codes: Sequence[str]) -> Sequence[tuple[int, Sequence[str]]]:
    found: dict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys(codes):
        found[KINDS[code].status].append(code)
    return sorted(found.items())
