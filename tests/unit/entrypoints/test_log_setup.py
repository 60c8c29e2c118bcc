"""What a process logs: short lines for a person, JSON for machines."""

import io
import json
import logging
import re
from collections.abc import Generator
from typing import Any

import pytest

from jobmill.application.handlers.log_fields import with_shown
from jobmill.entrypoints.log_setup import set_up_logging

log = logging.getLogger("shop.jobs")


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_it_was() -> Generator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def out() -> io.StringIO:
    """Where the log goes."""
    return io.StringIO()


def test_a_person_reads_time_level_and_message(out: io.StringIO) -> None:
    set_up_logging("info", "console", stream=out)

    log.info("started job_id=%s", 7, extra={"job_id": 7})

    assert re.fullmatch(r"\d\d:\d\d:\d\d INFO    started job_id=7\n", out.getvalue())


def test_a_machine_reads_one_object_a_line_with_the_extra_fields(out: io.StringIO) -> None:
    set_up_logging("info", "json", stream=out)

    log.warning("two\nlines", extra={"job_id": "0199", "attempt": 2, "what": {1}})

    [line] = out.getvalue().splitlines()
    record = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", record.pop("time"))
    assert record == {
        "level": "warning",
        "logger": "shop.jobs",
        "message": "two\nlines",
        "job_id": "0199",
        "attempt": 2,
        "what": "{1}",
    }


def test_a_machine_reads_of_an_event_its_name_and_its_fields_once(out: io.StringIO) -> None:
    set_up_logging("info", "json", stream=out)

    log.info("handed back job_id=0199", extra={"job_id": "0199", "event": "handed back"})

    record = _only(out)
    assert (record["message"], record["job_id"]) == ("handed back", "0199")
    assert "event" not in record


def test_fields_of_a_payload_are_read_by_both_in_the_line_of_a_handler(out: io.StringIO) -> None:
    extra = with_shown({"job_id": "0199"}, {"call_id": "c 7", "urgent": True})

    set_up_logging("info", "console", stream=out)
    log.info("no answer", extra=extra)
    set_up_logging("info", "json", stream=out)
    log.info("no answer", extra=extra)

    person, machine = out.getvalue().splitlines()
    assert person.endswith("INFO    no answer call_id='c 7' urgent=True")
    record = json.loads(machine)
    assert (record["message"], record["job_id"], record["call_id"]) == ("no answer", "0199", "c 7")
    assert record["urgent"] is True
    assert "log_fields" not in record


def test_fields_of_a_payload_stand_before_the_traceback(out: io.StringIO) -> None:
    set_up_logging("info", "console", stream=out)

    try:
        raise ZeroDivisionError("oh no")
    except ZeroDivisionError:
        log.exception("failed", extra=with_shown({}, {"call_id": "c-7"}))

    assert out.getvalue().splitlines()[0].endswith("failed call_id=c-7")


def test_an_extra_field_cannot_stand_in_for_the_level(out: io.StringIO) -> None:
    set_up_logging("info", "json", stream=out)

    log.error("x", extra={"level": "fine", "time": "never"})

    record = _only(out)
    assert record["level"] == "error"
    assert record["time"] != "never"


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_is_part_of_either_form(out: io.StringIO, form: str) -> None:
    set_up_logging("info", form, stream=out)

    try:
        raise ZeroDivisionError("oh no")
    except ZeroDivisionError:
        log.exception("failed")

    text = out.getvalue() if form == "console" else _only(out)["traceback"]
    assert "Traceback (most recent call last)" in text
    assert "ZeroDivisionError: oh no" in text


def test_the_form_is_console_on_a_terminal_and_else_json(out: io.StringIO) -> None:
    terminal = Terminal()

    set_up_logging("info", None, stream=terminal)
    log.info("seen")
    set_up_logging("info", None, stream=out)
    log.info("unseen")

    assert terminal.getvalue().endswith("INFO    seen\n")
    assert _only(out)["message"] == "unseen"


def test_what_is_below_the_level_is_left_out(out: io.StringIO) -> None:
    set_up_logging("warning", "console", stream=out)

    log.info("no")
    log.warning("yes")

    assert out.getvalue().endswith("yes\n")
    assert "no" not in out.getvalue().split()


def test_libraries_keep_their_daily_business_to_themselves(out: io.StringIO) -> None:
    set_up_logging("debug", "console", stream=out)

    logging.getLogger("sqlalchemy.engine").info("BEGIN")
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("aiormq.connection").error("error when creating transport")
    logging.getLogger("uvicorn.error").error("a fault")

    assert [line.split(maxsplit=2)[2] for line in out.getvalue().splitlines()] == ["a fault"]


def _only(out: io.StringIO) -> dict[str, Any]:
    [line] = out.getvalue().splitlines()
    record: dict[str, Any] = json.loads(line)
    return record
