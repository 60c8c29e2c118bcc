"""What of a payload may stand in the log: what its type names, short, and nothing else."""

import logging
import re
from collections.abc import Sequence
from enum import Enum
from typing import Any

import pytest
from attrs import evolve, frozen

from jobmill.application.handlers import BatchJob, HandlerFault, JobContext, JobHandlers, JobType, Registry
from jobmill.application.handlers.log_fields import JobLog, told_fields
from jobmill.application.ports.type_registry import Sightings
from jobmill.application.type_keeper import stored_form
from jobmill.domain.job import Job

from tests.builders import a_job
from tests.unit.application.bench import Bench

LOUD = '{"call_id":"c-7","card":"4111"}'


class Line(Enum):
    FIXED = "fixed"
    MOBILE = "mobile"


@frozen
class Place:
    town: str


@frozen
class Ring:
    call_id: str
    line: Line = Line.FIXED
    urgent: bool | None = None
    name: str = ""
    places: tuple[Place, ...] = ()
    at: Place | None = None
    home: Place = Place("here")


def ring(*log_fields: str) -> JobType[Any]:
    @JobHandlers().register("ring", log_fields=log_fields)
    async def run(payload: Ring) -> None: ...

    return run


def fault(log_fields: Sequence[str]) -> str:
    with pytest.raises(HandlerFault) as raised:

        @JobHandlers().register("ring", log_fields=log_fields)
        async def run(payload: Ring) -> None: ...

    return str(raised.value)


def test_a_type_names_fields_of_its_payload_and_has_none_unless_it_does() -> None:
    assert ring("call_id", "line", "urgent").rules.log_fields == ("call_id", "line", "urgent")
    assert ring().rules.log_fields == ()


def test_a_batch_handler_names_them_too_and_a_dict_may_have_any() -> None:
    handlers = JobHandlers()

    @handlers.register_batch("rings", log_fields=["call_id"])
    async def run(jobs: list[BatchJob[Ring]]) -> None: ...

    @handlers.register("loose", log_fields=("anything",))
    async def loose(payload: dict[str, Any]) -> None: ...

    assert [each.rules.log_fields for each in handlers] == [("call_id",), ("anything",)]


@pytest.mark.parametrize(
    ("log_fields", "complaint"),
    [
        ("call_id", "log_fields must be names in a tuple, as in log_fields=('call_id',)"),
        ((7,), "log_fields must be names in a tuple"),
        (("call_id", "call_id"), "log_fields must be at most 10 names, each of them once"),
        (tuple(f"f{n}" for n in range(11)), "log_fields must be at most 10 names, each of them once"),
        (("call id",), "log_fields names 'call id', which is no name: a letter or _, then up to 49"),
        (("x" * 51,), "which is no name"),
        (("",), "log_fields names '', which is no name"),
        (("call",), "log_fields names 'call', and the payload has no such field; it has call_id, line, "),
        (("name",), "log_fields names 'name', which every line has already"),
        (("places",), "log_fields names 'places', which is no single value; only texts, numbers, "),
        (("home",), "log_fields names 'home', which is no single value"),
    ],
)
def test_what_can_never_be_written_is_refused(log_fields: Sequence[str], complaint: str) -> None:
    said = fault(log_fields)

    assert re.match(r"\S+\.run: log_fields ", said)
    assert complaint in said


TAKEN = "job_id type attempt correlation_id failure event message levelname level time logger stack"


@pytest.mark.parametrize("name", [*TAKEN.split(), "traceback", "taskName", "asctime", "log_fields"])
def test_a_payload_cannot_stand_in_for_what_a_line_says(name: str) -> None:
    with pytest.raises(HandlerFault, match="which every line has already"):

        @JobHandlers().register("loose", log_fields=(name,))
        async def run(payload: dict[str, Any]) -> None: ...


def test_only_single_values_are_told_and_long_texts_are_cut() -> None:
    payload = '{"a":"%s","b":1.5,"c":true,"d":null,"e":[1],"f":{"g":1},"h":%d,"i":%d}'
    payload %= ("x" * 101, 2**64 - 1, 2**64)

    told = told_fields(payload, tuple("abcdefhij"))

    assert told == {"a": "x" * 99 + "…", "b": 1.5, "c": True, "d": None, "h": 2**64 - 1}
    assert told_fields('{"a":"%s"}' % ("x" * 100), ["a"]) == {"a": "x" * 100}


@pytest.mark.parametrize("payload", ["", "{", "[]", "null", '"call_id"'])
def test_a_payload_that_cannot_be_read_tells_nothing(payload: str) -> None:
    assert told_fields(payload, ["call_id"]) == {}


def test_of_a_job_is_told_what_its_type_names() -> None:
    handlers = JobHandlers()

    @handlers.register("ring", log_fields=("call_id",))
    async def run(payload: Ring) -> None: ...

    registry = Registry([handlers])

    assert registry.told_of(a_job(type="ring", payload=LOUD)) == {"call_id": "c-7"}
    assert registry.told_of(a_job(type="other", payload=LOUD)) == {}


def test_of_a_type_that_only_others_run_is_told_what_they_have_stored() -> None:
    registry = Registry([])
    registry.board.show(Sightings(types=[stored_form(ring("call_id"))]))

    assert registry.told_of(a_job(type="ring", payload=LOUD)) == {"call_id": "c-7"}


def test_a_payload_is_not_even_looked_at_for_a_type_that_names_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told(*_: object) -> dict[str, object]:
        raise AssertionError("looked at")

    monkeypatch.setattr("jobmill.application.handlers.registry.told_fields", told)
    handlers = JobHandlers()

    @handlers.register("ring")
    async def run(payload: Ring) -> None: ...

    assert Registry([handlers]).told_of(a_job(type="ring", payload=LOUD)) == {}


async def test_what_a_handler_logs_carries_them(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    _name_fields(bench, "call_id")

    async def work(_payload: object, job: JobContext) -> object:
        job.log.warning("busy")
        job.log.warning("gone")
        return None

    row = await bench.runs(work, payload=LOUD)

    lines = [vars(record) for record in caplog.records if record.name == "jobmill.handler"]
    assert [line["message"] for line in lines] == ["busy", "gone"]
    for line in lines:
        assert (line["call_id"], line["job_id"], line["attempt"]) == ("c-7", str(row.id), 1)
        assert line["log_fields"] == ("call_id",)
        assert "card" not in line


def test_however_much_a_handler_logs_its_payload_is_looked_at_once() -> None:
    looks: list[int] = []

    def tell() -> dict[str, object]:
        looks.append(1)
        return {"call_id": "c-7"}

    log = JobLog(logging.getLogger("jobmill.handler"), {"attempt": 1}, tell)

    assert looks == []
    for _ in range(3):
        _, about = log.process("busy", {})
        assert about["extra"] == {"attempt": 1, "call_id": "c-7", "log_fields": ("call_id",)}
    assert looks == [1]


async def test_a_handler_that_logs_nothing_costs_no_look_at_its_payload(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Job] = []

    def told_of(_registry: Registry, job: Job) -> dict[str, object]:
        looked.append(job)
        return {}

    monkeypatch.setattr(Registry, "told_of", told_of)

    async def work(_payload: object, job: JobContext) -> object:
        job.log.debug("nobody asked")
        return None

    logging.getLogger("jobmill.handler").setLevel(logging.WARNING)
    try:
        await bench.runs(work, payload=LOUD)
    finally:
        logging.getLogger("jobmill.handler").setLevel(logging.NOTSET)

    assert looked == []


def _name_fields(bench: Bench, *names: str) -> None:
    """Let the one type of the world's registry name fields."""
    registry = bench.world.registry
    declared = registry.named("work")
    registry._types["work"] = evolve(declared, rules=evolve(declared.rules, log_fields=names))
