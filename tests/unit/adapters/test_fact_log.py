"""What stands in the log, and what does not."""

import logging
from collections.abc import Generator

import pytest
from attrs import evolve

from jobmill.adapters.system import FactLog
from jobmill.domain.failure import FailureKind
from jobmill.domain.job import Job
from jobmill.domain.states import Fact, JobState
from jobmill.domain.transition import Transition

from tests.builders import (
    HOUR,
    NOW,
    SECOND,
    a_failure,
    a_job,
    a_job_that_is,
    a_running_job,
    failed,
    handed_back,
    started,
    succeeded,
)

SECRET = "4111-1111-1111-1111"
FINAL = a_failure(FailureKind.PERMANENT)


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(record)


@pytest.fixture
def lines() -> Generator[list[logging.LogRecord]]:
    logger, handler = logging.getLogger("jobmill.facts"), Lines()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler.written
    logger.removeHandler(handler)
    logger.setLevel(before)


@pytest.mark.parametrize(
    ("move", "level"),
    [
        (started(a_job()), logging.INFO),
        (succeeded(a_running_job()), logging.INFO),
        (failed(a_running_job()), logging.INFO),
        (failed(a_running_job(), FINAL), logging.INFO),
        (a_job().expire(now=NOW, stamp=1), logging.INFO),
        (a_job().cancel(now=NOW, stamp=1), logging.INFO),
        (a_job_that_is(JobState.FAILED).requeue(now=NOW, stamp=1), logging.INFO),
        (handed_back(a_running_job()), logging.INFO),
        (a_job_that_is(JobState.SCHEDULED).release(now=NOW, stamp=1), logging.DEBUG),
        (a_job().defer(SECOND, "breaker open", now=NOW, stamp=1), logging.DEBUG),
        (a_job_that_is(JobState.FAILED).discard(now=NOW, stamp=1), logging.DEBUG),
    ],
    ids=lambda each: each.fact.value if isinstance(each, Transition) else "",
)
def test_each_fact_is_one_line(lines: list[logging.LogRecord], move: Transition, level: int) -> None:
    FactLog().moved([move])

    [line] = lines
    assert line.levelno == level
    assert line.getMessage().startswith(f"{move.fact.value} job_id={move.job.id} type=email attempt=")


def test_a_line_names_job_type_attempt_and_correlation_id(lines: list[logging.LogRecord]) -> None:
    job = a_running_job(attempt=2, correlation_id="corr-1", type="sms")

    FactLog().moved([failed(job, a_failure(FailureKind.TIMEOUT))])

    [line] = lines
    assert line.getMessage() == (
        f"retry scheduled job_id={job.id} type=sms attempt=2 correlation_id=corr-1 failure=timeout"
    )
    fields = vars(line)
    assert (fields["event"], fields["job_id"], fields["type"]) == ("retry scheduled", str(job.id), "sms")
    assert (fields["attempt"], fields["correlation_id"], fields["failure"]) == (2, "corr-1", "timeout")


def test_the_attempt_is_the_one_that_begins_or_ended(lines: list[logging.LogRecord]) -> None:
    FactLog().moved([started(a_job(attempt=1)), handed_back(a_running_job(attempt=2))])

    assert [vars(line)["attempt"] for line in lines] == [2, 2]


def test_new_jobs_are_told_to_those_who_look_closely(lines: list[logging.LogRecord]) -> None:
    FactLog().submitted([a_job(), a_job()])

    assert [line.levelno for line in lines] == [logging.DEBUG] * 2
    assert all(line.getMessage().startswith(Fact.SUBMITTED.value) for line in lines)


def test_no_payload_result_or_error_text_is_ever_written(lines: list[logging.LogRecord]) -> None:
    log = FactLog()
    job = a_running_job(payload=f'"{SECRET}"')
    failure = evolve(a_failure(), message=SECRET, stack=SECRET)

    log.submitted([job])
    log.moved([failed(job, failure), succeeded(job, result=f'"{SECRET}"')])

    assert len(lines) == 3
    assert all(SECRET not in repr(vars(line)) for line in lines)


def test_what_a_type_names_of_its_payload_stands_in_every_line(lines: list[logging.LogRecord]) -> None:
    log = FactLog(told_of=lambda job: {"call_id": f"c {job.payload}", "urgent": None})
    job = a_running_job(payload="7")

    log.submitted([job])
    log.moved([started(a_job(payload="7")), failed(job, a_failure(FailureKind.TIMEOUT)), handed_back(job)])

    assert [vars(line)["call_id"] for line in lines] == ["c 7"] * 4
    assert all("correlation_id=- call_id='c 7' urgent=-" in line.getMessage() for line in lines)
    assert lines[2].getMessage().endswith("urgent=- failure=timeout")


def test_after_a_requeue_the_edited_payload_is_told(lines: list[logging.LogRecord]) -> None:
    job = a_job_that_is(JobState.FAILED, payload="old")

    FactLog(told_of=lambda job: {"call_id": job.payload}).moved(
        [job.requeue(now=NOW, stamp=1, payload="new")]
    )

    assert vars(lines[0])["call_id"] == "new"


def test_a_correlation_id_cannot_forge_a_line(lines: list[logging.LogRecord]) -> None:
    FactLog().moved([started(a_job(correlation_id='x attempt=9\n"y"'))])

    message = lines[0].getMessage()
    assert "\n" not in message
    assert "correlation_id='x attempt=9\\n\"y\"'" in message


def test_nothing_is_made_up_for_a_level_that_nobody_reads(lines: list[logging.LogRecord]) -> None:
    logging.getLogger("jobmill.facts").setLevel(logging.ERROR)
    looked: list[Job] = []

    def told_of(job: Job) -> dict[str, object]:
        looked.append(job)
        return {}

    log = FactLog(told_of=told_of)

    log.submitted([a_job()])
    log.moved([started(a_job())])
    log.noted("parcel refused", reason="full")

    assert (lines, looked) == ([], [])


def test_an_event_of_the_machinery_is_told_with_its_fields(lines: list[logging.LogRecord]) -> None:
    FactLog().noted("reconnected", url="amqp://mq", after_s=1.5)

    assert (lines[0].levelno, lines[0].getMessage()) == (
        logging.INFO,
        "reconnected url=amqp://mq after_s=1.5",
    )
    assert vars(lines[0])["after_s"] == 1.5


@pytest.mark.parametrize("field", ["error", "reason"])
def test_an_event_with_an_error_or_a_reason_is_a_warning(lines: list[logging.LogRecord], field: str) -> None:
    FactLog().noted("parcel refused", **{field: "queue is full"})

    assert lines[0].levelno == logging.WARNING
    assert lines[0].getMessage() == f"parcel refused {field}='queue is full'"


def test_a_field_may_have_any_name(lines: list[logging.LogRecord]) -> None:
    FactLog().noted("odd", name="n", message="m", args=(1,), level=HOUR)

    assert lines[0].getMessage() == "odd name=n message=m args=(1,) level=1:00:00"
    assert vars(lines[0])["name_"] == "n"
