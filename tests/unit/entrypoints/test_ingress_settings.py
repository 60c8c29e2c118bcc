"""Bindings are read from the environment and from tables alike, and every fault is named with its mend."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobmill.application.ingress_binding import IngressBinding, Shape
from jobmill.domain.states import Priority
from jobmill.entrypoints.ingress_settings import bindings_table
from jobmill.entrypoints.settings import Settings, WrongSettings

OWN = IngressBinding(name="default", queue="jobmill.ingress")


def bindings(table: Mapping[str, Any], **env: str) -> tuple[IngressBinding, ...]:
    return Settings.from_env({"JOBMILL_INGRESS": json.dumps(table), **env}).bindings


def refusal(text: str) -> str:
    with pytest.raises(WrongSettings) as refused:
        Settings.from_env({"JOBMILL_INGRESS": text})
    [line] = str(refused.value).splitlines()
    return line.removeprefix("JOBMILL_INGRESS: ")


def refused(**keys: object) -> str:
    return refusal(json.dumps({"shop": {"queue": "q", **keys}})).removeprefix("shop.")


def test_the_mills_own_queue_is_read_with_the_envelope_unless_more_is_said() -> None:
    assert Settings.from_env({}).bindings == (OWN,)
    [own] = Settings.from_env({"JOBMILL_PREFIX": "shop"}).bindings
    assert own.queue == "shop.ingress"


def test_a_binding_says_how_the_messages_of_a_queue_become_jobs() -> None:
    [own, calls, tasks] = bindings(
        {
            "calls": {"queue": "call_queue", "shape": "call", "ttl_s": 1.5, "priority": "high"},
            "tasks": {
                "queue": "task_events",
                "shape": "plain",
                "types": {"TASK_CREATED": "Task.Created"},
                "dedup": "/payload/id",
                "job_queue": "tasks",
            },
        }
    )

    assert own == OWN
    assert calls == IngressBinding(
        name="calls",
        queue="call_queue",
        shape=Shape.CALL,
        type="call",
        dedup="/call_id",
        ttl=timedelta(seconds=1.5),
        priority=Priority.HIGH,
    )
    assert tasks == IngressBinding(
        name="tasks",
        queue="task_events",
        shape=Shape.PLAIN,
        types={"TASK_CREATED": "task.created"},
        dedup="/payload/id",
        job_queue="tasks",
    )


def test_the_default_binding_can_be_told_otherwise() -> None:
    assert bindings({"default": {"shape": "cloudevents"}}) == (
        IngressBinding(name="default", queue="jobmill.ingress", shape=Shape.CLOUDEVENTS),
    )
    [moved] = bindings({"default": {"queue": "theirs"}})
    assert moved.queue == "theirs"


def test_tables_of_a_project_are_bindings_and_the_environment_stands_above_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(
        '[tool.jobmill.ingress.calls]\nqueue = "call_queue"\nshape = "call"\ntype = "call.process"\n'
        '[tool.jobmill.ingress.tasks]\nqueue = "t"\nshape = "event"\n'
        'types = { TASK_CREATED = "task.created" }\n'
    )

    assert [each.name for each in Settings.here({}).bindings] == ["default", "calls", "tasks"]
    assert Settings.here({}).bindings[1].type == "call.process"
    assert Settings.here({"JOBMILL_INGRESS": "{}"}).bindings == (OWN,)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ingress = 7", "must be tables"),
        ("ingress = []", "must be tables"),
        ("[tool.jobmill.ingress]\ncalls = 7", "calls: must be a table with a queue and a shape"),
        ('[tool.jobmill.ingress.calls]\nqueue = "q"\nshape = "calls"', "calls.shape: must be one of"),
        ('[tool.jobmill.ingress.calls]\nqueue = "q"\nttl_s = nan', "calls.ttl_s: must be a number"),
    ],
)
def test_a_wrong_table_is_named_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(f"[tool.jobmill]\n{line}\n")

    with pytest.raises(WrongSettings) as wrong:
        Settings.here({})

    assert str(wrong.value).startswith("pyproject.toml, [tool.jobmill] ingress: ")
    assert told in str(wrong.value)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"shape": "cloudevent"}, "shape: must be one of envelope, cloudevents, event, plain, call, body"),
        ({"queue": ""}, "queue: must be the name of a queue"),
        ({"queue": "ü" * 128}, "queue: must be the name of a queue"),
        ({"queue": "a\u2028b"}, "queue: must be the name of a queue"),
        ({"shape": "body"}, "type: is required: a message of the shape body has none"),
        ({"type": "a"}, "type: a message of the shape envelope says it; to translate it use types"),
        ({"shape": "call", "type": "9"}, "type: '9' is no name for a job type"),
        ({"shape": "call", "types": {"A": "a"}}, "types: a message of the shape call has no type"),
        ({"types": {"A": "9"}}, "types: '9' is no name for a job type"),
        ({"types": {"": "a"}}, "types: must be a text of 1 to 255 characters"),
        ({"types": ["a"]}, "types: must be a table"),
        ({"dedup": "id"}, "dedup: must be a JSON pointer, as in /call_id"),
        ({"dedup": "/a~2"}, "dedup: must be a JSON pointer, as in /call_id"),
        ({"shape": "event", "dedup": "/id"}, "dedup: leave it out: every message of the shape event has"),
        ({"job_queue": "dead"}, "job_queue: 'dead' is reserved"),
        ({"priority": "urgent"}, "priority: must be one of high, normal, low"),
        ({"ttl_s": 0}, "ttl_s: must be a number of seconds above 0"),
        ({"ttl_s": True}, "ttl_s: must be a number of seconds above 0"),
        ({"shpae": "call"}, "shpae: no such setting; did you mean shape?"),
        ({"zzz": 1}, "zzz: no such setting; known are queue, shape, type, types, dedup, job_queue,"),
    ],
)
def test_every_key_is_checked(keys: dict[str, object], told: str) -> None:
    assert refused(**keys).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("calls=call_queue", "must be JSON like"),
        ("[]", "must be a JSON object like"),
        ('{"Calls": {}}', "Calls: a binding's name is"),
        ('{"calls": {}}', "calls.queue: is required"),
        ('{"calls": "q"}', "calls: must be a table"),
        (
            '{"a": {"queue": "q"}, "b": {"queue": "q"}}',
            "a, b: read one queue, and each would get some of its messages; leave one of them",
        ),
        ('{"a": {"queue": "jobmill.default.low"}}', "a: queues that begin with jobmill. are Jobmill's own"),
        ('{"a": {"queue": "jobmill.ingress"}}', "a: queues that begin with jobmill. are Jobmill's own"),
    ],
)
def test_what_cannot_work_is_refused_with_the_mend(text: str, told: str) -> None:
    assert refusal(text).startswith(told)


def test_all_faults_are_told_at_once() -> None:
    told = refusal('{"a": {"shape": "x", "priority": "y"}, "b": {"queue": 7}}')

    assert [part.partition(":")[0] for part in told.split("; ")] == [
        "a.shape",
        "a.queue",
        "a.priority",
        "b.queue",
    ]


def test_there_are_bounds() -> None:
    table = {f"b{at}": {"queue": "q"} for at in range(101)}
    with pytest.raises(ValueError, match="at most 100 bindings"):
        bindings_table(table)
