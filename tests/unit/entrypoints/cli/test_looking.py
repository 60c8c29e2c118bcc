"""``jobmill jobs``, ``job`` and ``dead``: what a person reads about jobs, and what a program does."""

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from jobmill.application.ports.progress import ProgressReport
from jobmill.application.ports.quarantine import ForeignMessage
from jobmill.domain.failure import Failure, FailureKind
from jobmill.domain.job import Job
from jobmill.domain.ties import Ties
from jobmill.entrypoints.cli.exits import Exit

from tests.builders import a_job, a_stamp, a_submitted_job, an_id, failed, started
from tests.contract.store_world import StoreWorld
from tests.unit.entrypoints.cli.mill import Mill, Told

LONG_NAME = "a" * 100
BELL_AND_ESCAPE = "ding\x07 \x1b[31mred"
#: How long ago something was, in a test that takes some time itself.
_AGE = re.compile(r"(now|\d+\.\d s ago)$")


def test_jobs_are_listed_newest_first_within_80_columns(mill: Mill) -> None:
    done, dead = mill.has(_one_done_and_one_dead)

    told = mill.run("jobs")

    assert told.code == Exit.DONE
    assert [line.split() for line in told.lines] == [
        ["ID", "STATUS", "TYPE", "TRIES", "AGE"],
        [str(dead.id), "failed", "email", "1/3", *_age(told, 1)],
        [str(done.id), "succeeded", "email", "1/3", *_age(told, 2)],
    ]
    assert max(map(len, told.lines)) <= 80


def test_on_a_wide_screen_there_is_room_for_queue_and_error(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    mill.has(_one_done_and_one_dead)
    monkeypatch.setenv("COLUMNS", "140")

    told = mill.run("jobs")

    assert told.lines[0].split()[-2:] == ["QUEUE", "ERROR"]
    assert told.lines[1].endswith("default  card declined")


def test_a_batch_is_shown_by_its_numbers(mill: Mill) -> None:
    first, callback = mill.has(_a_batch)

    told = mill.run("batch", str(callback.id))
    record = mill.run("batch", str(callback.id), "--json").records[0]

    assert told.lines[0].split()[:4] == ["CALLBACK", "SIZE", "UNFINISHED", "SUCCEEDED"]
    assert told.lines[1].split() == ["scheduled", "2", "1", "0", "0", "0", "1", "0", "0"]
    assert (record["id"], record["size"], record["cancelled"]) == (str(callback.id), 2, 1)
    assert mill.run("batch", str(first.id)).code == Exit.REFUSED


def test_a_job_shows_what_it_has_to_do_with_others(mill: Mill) -> None:
    first, callback = mill.has(_a_batch)

    told = mill.run("job", str(first.id))

    assert any(line.split() == ["batch", str(callback.id)] for line in told.lines)


def test_however_long_the_other_words_are_no_id_is_cut(mill: Mill) -> None:
    job = mill.has(lambda world: world.queued(type=LONG_NAME, queue="q" * 50))

    told = mill.run("jobs")

    assert told.lines[1].startswith(f"{job.id}  queued  aaaaaaaaaaa")
    assert max(map(len, told.lines)) <= 80


@pytest.mark.parametrize(
    "option",
    ["--status queued", "--type SMS", "--queue texts", "--tag x", "--tenant t", "--correlation-id c"],
)
def test_jobs_can_be_asked_for(mill: Mill, option: str) -> None:
    facts: dict[str, Any] = {"type": "sms", "queue": "texts", "tenant": "t", "correlation_id": "c"}
    wanted = mill.has(lambda world: world.queued(tags=("x",), **facts))
    mill.has(_one_done_and_one_dead)

    told = mill.run("jobs", *option.split(), "--json")

    assert _ids(told) == [str(wanted.id)]


def test_several_statuses_can_be_asked_for(mill: Mill) -> None:
    mill.has(_one_done_and_one_dead)

    told = mill.run("jobs", "--status", "failed", "--status", "succeeded", "--json")

    assert [job["status"] for job in told.records] == ["failed", "succeeded"]


def test_an_unknown_status_is_answered_with_the_known_ones(mill: Mill) -> None:
    told = mill.run("jobs", "--status", "done")

    assert told.code == Exit.WRONG_USE
    assert 'Choose from: "scheduled", "queued",' in told.err


def test_the_rest_of_a_list_is_had_by_its_cursor(mill: Mill) -> None:
    jobs = mill.has(_three_queued)

    first = mill.run("jobs", "--limit", 2, "--oldest-first", "--json")
    rest = mill.run("jobs", "--limit", 2, "--oldest-first", "--cursor", jobs[1].id, "--json")

    assert _ids(first) == [str(jobs[0].id), str(jobs[1].id)]
    assert first.err == f"there are more: add --cursor {jobs[1].id}\n"
    assert _ids(rest) == [str(jobs[2].id)]
    assert rest.err == ""


def test_a_limit_out_of_range_is_a_wrong_command_line(mill: Mill) -> None:
    assert mill.run("jobs", "--limit", 201).code == Exit.WRONG_USE


def test_an_empty_list_says_so_beside_the_result(mill: Mill) -> None:
    assert mill.run("jobs") == Told(code=Exit.DONE, out="", err="no such jobs\n")
    assert mill.run("dead") == Told(code=Exit.DONE, out="", err="no dead letters\n")


def test_one_job_is_shown_with_its_payload_and_every_attempt(mill: Mill) -> None:
    job = mill.has(_a_job_that_failed_twice)

    told = mill.run("job", str(job.id).upper())

    assert told.code == Exit.DONE
    assert told.lines[0] == f"id              {job.id}"
    assert "status          failed" in told.lines
    assert "attempts        2 of 3, each up to 60 s" in told.lines
    assert 'payload         {"to": "ada"}' in told.lines
    assert "error           card declined" in told.lines
    history = told.lines[told.lines.index("history") :]
    assert "attempt 1  failed (transient) after 0.00 s on worker-1" in history[1]
    assert history[2] == "    no route to bank"
    assert "attempt 2  failed (permanent) after 0.00 s on worker-1" in history[3]
    assert history[4:] == ["    card declined", "last traceback", "    Traceback", "    here"]


def test_one_job_is_shown_with_how_far_it_is(mill: Mill) -> None:
    job = mill.has(_a_job_that_is_half_done)

    told = mill.run("job", job.id)

    assert any(line.startswith("progress        50%   page 3   (attempt 1, ") for line in told.lines)


def test_a_long_payload_is_set_out_line_by_line(mill: Mill) -> None:
    payload = {"to": "ada", "body": "x" * 80}
    job = mill.has(lambda world: world.queued(payload=json.dumps(payload)))

    told = mill.run("job", job.id)

    assert told.lines[told.lines.index("payload") + 1 :][:2] == ["    {", '      "to": "ada",']


def test_one_job_as_json_has_its_history(mill: Mill) -> None:
    job = mill.has(_a_job_that_failed_twice)

    [record] = mill.run("job", job.id, "--json").records

    assert record["id"] == str(job.id)
    assert [entry["error"] for entry in record["history"]] == ["no route to bank", "card declined"]


def test_what_a_job_says_cannot_move_the_cursor(mill: Mill) -> None:
    job = mill.has(lambda world: world.queued(error=BELL_AND_ESCAPE))

    told = mill.run("job", job.id)

    assert r"error           ding\x07 \x1b[31mred" in told.lines


def test_an_unknown_id_is_refused(mill: Mill) -> None:
    unknown = an_id()

    assert mill.run("job", unknown) == Told(
        code=Exit.REFUSED, out="", err=f"jobmill: no job has the id {unknown}\n"
    )


def test_half_an_id_is_a_wrong_command_line(mill: Mill) -> None:
    told = mill.run("job", "0199")

    assert told.code == Exit.WRONG_USE
    assert 'unable to convert "0199" into UUID' in told.err


def test_dead_letters_of_all_kinds_stand_in_one_list(mill: Mill) -> None:
    dead, message = mill.has(_dead_letters)

    told = mill.run("dead")

    assert [_AGE.sub("<age>", line) for line in told.lines] == [
        f"{message.id}  quarantined  from jobmill.ingress  <age>",
        "    no JSON",
        f"{dead.id}  failed       email  <age>",
        "    card declined",
    ]


def test_dead_letters_can_be_asked_for_by_kind(mill: Mill) -> None:
    dead, message = mill.has(_dead_letters)

    assert _ids(mill.run("dead", "--kind", "failed", "--json")) == [str(dead.id)]
    assert _ids(mill.run("dead", "--kind", "quarantined", "--json")) == [str(message.id)]
    assert _ids(mill.run("dead", "--kind", "expired", "--json")) == []


def test_a_message_in_quarantine_is_shown_as_it_came(mill: Mill) -> None:
    _, message = mill.has(_dead_letters)

    told = mill.run("job", message.id)

    assert "reason          no JSON" in told.lines
    assert "header          x-from: shop" in told.lines
    assert r"body            \xff not ours" in told.lines
    assert mill.run("job", message.id, "--json").records[0]["reason"] == "no JSON"


def _ids(told: Told) -> list[str]:
    return [record["id"] for record in told.records]


def _age(told: Told, line: int) -> Sequence[str]:
    return told.lines[line].split()[4:]


async def _one_done_and_one_dead(world: StoreWorld) -> tuple[Job, Job]:
    done = await world.done()
    return done, await _dies(world, await world.running())


async def _dies(world: StoreWorld, job: Job) -> Job:
    declined = Failure(kind=FailureKind.PERMANENT, message="card declined", stack="Traceback\nhere")
    return await world.saved(failed(job, declined, now=world.now))


async def _three_queued(world: StoreWorld) -> Sequence[Job]:
    return [await world.queued() for _ in range(3)]


async def _a_job_that_failed_twice(world: StoreWorld) -> Job:
    job = await world.has(a_job(now=world.now))
    unreachable = Failure(
        kind=FailureKind.TRANSIENT, message="no route to bank", retry_after=timedelta(0), stack="other"
    )
    now = world.now
    job = await world.saved(failed(await world.saved(started(job, now=now)), unreachable, now=now))
    job = await world.saved(started(job, now=now))
    declined = Failure(kind=FailureKind.PERMANENT, message="card declined", stack="Traceback\nhere")
    return await world.saved(failed(job, declined, now=now))


async def _dead_letters(world: StoreWorld) -> tuple[Job, ForeignMessage]:
    dead = await _dies(world, await world.running())
    message = ForeignMessage(
        id=an_id(),
        received_at=world.now,
        source="jobmill.ingress",
        reason="no JSON",
        content_type=None,
        headers={"x-from": "shop"},
        body=b"\xff not ours",
    )
    await world.store.quarantine.keep([message])
    return dead, message


async def _a_job_that_is_half_done(world: StoreWorld) -> Job:
    job = await world.running()
    said = ProgressReport(fence=job.fence, attempt=1, fraction=0.5, note="page 3")
    await world.store.progress.write([said])
    return job


async def _a_batch(world: StoreWorld) -> tuple[Job, Job]:
    """One of its two jobs was cancelled."""
    callback = a_submitted_job(now=world.now).tied(Ties(batch_size=2))
    first, second = (a_submitted_job(now=world.now).tied(Ties(batch=callback.id)) for _ in range(2))
    await world.add(first, second, callback)
    return await world.saved(first.cancel(now=world.now, stamp=a_stamp())), callback
