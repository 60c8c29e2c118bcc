"""The types of jobs that this process knows, for people and for forms."""

from typing import Any

import msgspec
from attrs import frozen

from jobmill.application.handlers import JobType, Registry
from jobmill.application.type_board import ForeignType
from jobmill.domain.states import Priority
from jobmill.entrypoints.http.answers import Answer, Req, json_answer
from jobmill.entrypoints.http.payload_schemas import standalone_schema
from jobmill.entrypoints.http.query_string import no_query
from jobmill.entrypoints.http.views import encode, whole_seconds
from jobmill.entrypoints.http.written import WrittenFor


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
    """Listing types: those of this process, and those that it knows from others."""

    registry: Registry
    shown: WrittenFor

    async def page(self, request: Req) -> Answer:
        """Show all types by name."""
        no_query(request)
        return json_answer(self.shown.text(self.registry))


def type_routes(registry: Registry) -> TypeRoutes:
    """Return the routes for the types of a registry."""
    shown = WrittenFor(lambda known: encode([_view(declared) for declared in known.known]))
    return TypeRoutes(registry=registry, shown=shown)


def _view(declared: "JobType[object] | ForeignType") -> TypeView:
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
