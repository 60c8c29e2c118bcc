"""All named schemas of the description: of requests by type of job, and of answers by their classes."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec

from jobmill.application.handlers import JobType, Registry
from jobmill.application.submitter import BATCH_MAX
from jobmill.application.type_board import ForeignType
from jobmill.domain.failure import FailureKind
from jobmill.domain.states import Fact
from jobmill.entrypoints.http.health import LiveView, ReadyView
from jobmill.entrypoints.http.job_types import TypeView
from jobmill.entrypoints.http.openapi.fields import Schema, option_schemas
from jobmill.entrypoints.http.payload_schemas import JSON, TEXT, shared_schema
from jobmill.entrypoints.http.problems import KINDS, ProblemView, type_uri
from jobmill.entrypoints.http.providers import ProviderView
from jobmill.entrypoints.http.views import (
    QUARANTINED,
    BatchReportView,
    BatchView,
    DeadJobView,
    DeadStoryView,
    JobView,
    MessageView,
    NewBatchView,
    StoryView,
    WholeMessageView,
    outcome_word,
)

_HERE: Final = "#/components/schemas/"
#: What the classes of answers are called outside.
_NAMES: Final[Mapping[str, str]] = {
    "JobView": "Job",
    "StoryView": "JobWithHistory",
    "EntryView": "HistoryEntry",
    "ProgressView": "Progress",
    "BatchView": "Batch",
    "NewBatchView": "NewBatch",
    "BatchReportView": "BatchReport",
    "DeadJobView": "DeadJob",
    "DeadStoryView": "DeadJobWithHistory",
    "MessageView": "Message",
    "WholeMessageView": "WholeMessage",
    "TypeView": "JobType",
    "ProviderView": "Provider",
    "LimitsView": "ProviderLimits",
    "LiveView": "Live",
    "ReadyView": "Ready",
    "ProblemView": "Problem",
    "FaultView": "Fault",
    "JobState": "Status",
}
_ANSWERS: Final = (
    JobView,
    StoryView,
    BatchView,
    NewBatchView,
    BatchReportView,
    DeadJobView,
    DeadStoryView,
    MessageView,
    WholeMessageView,
    TypeView,
    ProviderView,
    LiveView,
    ReadyView,
    ProblemView,
)


def ref(name: str) -> Schema:
    """Return a reference to a named schema."""
    return {"$ref": _HERE + name}


def named_schemas(registry: Registry) -> dict[str, Schema]:
    """Return every named schema."""
    schemas = dict(_of_answers())
    submits: dict[str, str] = {}
    options = {_pascal(name): schema for name, schema in option_schemas(registry).items()}
    for declared in registry.known:
        submit, parts = _submit_schema(declared)
        submits[declared.name] = f"Submit.{declared.name}"
        schemas |= {submits[declared.name]: submit, **parts}
    schemas |= {name: {**schema, "title": name} for name, schema in options.items()}
    schemas["Submit"] = (
        {"not": {}}
        if not submits
        else {
            "description": "A job to be run. The payload is what the type says.",
            "oneOf": [ref(name) for name in submits.values()],
            "discriminator": {
                "propertyName": "type",
                "mapping": {job_type: _HERE + name for job_type, name in submits.items()},
            },
        }
    )
    jobs = {"type": "array", "minItems": 1, "maxItems": BATCH_MAX, "items": ref("Submit")}
    schemas["SubmitBatch"] = {
        "type": "object",
        "required": ["jobs"],
        "additionalProperties": False,
        "properties": {"jobs": jobs},
    }
    schemas["SubmitBatchWithCallback"] = {
        "type": "object",
        "description": "Either all of the jobs have an idempotency key, the callback included, or none has.",
        "required": ["jobs", "callback"],
        "additionalProperties": False,
        "properties": {
            "jobs": jobs,
            "callback": {"allOf": [ref("Submit")], "not": {"required": ["follows"]}},
        },
    }
    payload = {"type": "object", "propertyNames": {"pattern": TEXT}, "additionalProperties": ref("Json")}
    schemas["Requeue"] = {
        "type": "object",
        "description": "Another payload, as the type of the job wants it.",
        "additionalProperties": False,
        "properties": {"payload": payload},
    }
    schemas["Mend"] = {
        "description": "The job to make of a message, which is its own idempotency key.",
        "allOf": [ref("Submit")],
        "not": {"required": ["idempotency_key"]},
    }
    schemas["Json"] = dict(JSON)
    return schemas


def _submit_schema(declared: JobType[Any] | ForeignType) -> tuple[Schema, Mapping[str, Schema]]:
    payload, parts = shared_schema(declared.name, declared.schema)
    options = {name: ref(_pascal(name)) for name in _OPTION_NAMES}
    submit: Schema = {
        "type": "object",
        "title": declared.name,
        "required": ["type", "payload"],
        "additionalProperties": False,
        "properties": {"type": {"const": declared.name}, "payload": payload, **options},
        "not": {"required": ["run_at", "delay_s"]},
    }
    return submit, parts


_OPTION_NAMES: Final = tuple(option_schemas(Registry([])))


@cache
def _of_answers() -> dict[str, Schema]:
    _, parts = msgspec.json.schema_components(_ANSWERS, ref_template=_HERE + "{name}")
    schemas = {_NAMES.get(name, name): _renamed(part) for name, part in parts.items()}
    schemas = {name: {**schema, "title": name} for name, schema in schemas.items()}
    schemas["Problem"]["properties"] |= {
        "type": {"enum": [type_uri(code) for code in KINDS]},
        "code": {"enum": list(KINDS)},
        "status": {"enum": sorted({kind.status for kind in KINDS.values()})},
    }
    schemas["HistoryEntry"]["properties"] |= {
        "outcome": {"enum": [outcome_word(fact) for fact in Fact]},
        "kind": {"enum": [*(kind.value for kind in FailureKind), None]},
    }
    for name in ("Message", "WholeMessage"):
        schemas[name]["properties"]["kind"] = {"const": QUARANTINED}
    schemas["DeadLetter"] = {"oneOf": [ref("DeadJob"), ref("Message")]}
    schemas["Discarded"] = {"oneOf": [ref("Job"), ref("WholeMessage")]}
    schemas["WholeDeadLetter"] = {"oneOf": [ref("DeadJobWithHistory"), ref("WholeMessage")]}
    return schemas


def _renamed(node: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(node, list):
        return [_renamed(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        name: _HERE + _NAMES.get(value.removeprefix(_HERE), value.removeprefix(_HERE))
        if name == "$ref"
        else _renamed(value)
        for name, value in node.items()
    }


def _pascal(name: str) -> str:
    return name.title().replace("_", "")
