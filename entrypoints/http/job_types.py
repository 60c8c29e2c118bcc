"""The types of jobs that this process knows, for people and for forms."""

from typing import Any

import msgspec
from attrs import frozen

from jobmill.application.handlers import JobType, Registry
from jobmill.domain.states import Priority
from jobmill.entrypoints.http.answers import Answer, Req, json_answer
from jobmill.entrypoints.http.payload_schemas import standalone_schema
from jobmill.entrypoints.http.query_string import no_query
from jobmill.entrypoints.http.views import encode, whole_seconds


class TypeView(msgspec.Struct, kw_only=True):
    """What holds for the jobs of a type unless a job says otherwise, and the schema of their payloads."""

    name: str
    queue: str
    priority: Priority
    max_attempts: int
    timeout_s: float
    ttl_s: float | None
    payload_schema: dict[str, Any]


@frozen(kw_only=True)
class TypeRoutes:
    """Listing types. The list is as old as the process, so it is written once."""

    body: bytes

    async def page(self, request: Req) -> Answer:
        """Show all types by name."""
        no_query(request)
        return json_answer(self.body)


def type_routes(registry: Registry) -> TypeRoutes:
    """Return the routes for the types of a registry."""
    return TypeRoutes(body=encode([_view(declared) for declared in registry.types]))


def _view(declared: "JobType[object]") -> TypeView:
    rules = declared.rules
    return TypeView(
        name=rules.name,
        queue=rules.queue,
        priority=rules.priority,
        max_attempts=rules.retry.max_attempts,
        timeout_s=whole_seconds(rules.timeout),
        ttl_s=None if rules.ttl is None else whole_seconds(rules.ttl),
        payload_schema=standalone_schema(declared.schema),
    )
