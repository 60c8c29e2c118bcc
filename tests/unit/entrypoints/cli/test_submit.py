"""``jobmill submit``: what is stored, what is refused, what is printed."""

import asyncio
import io
import signal
from datetime import UTC, datetime, timedelta

import pytest

from jobmill.application.ports.job_finder import JobQuery
from jobmill.domain.failure import Failure, FailureKind
from jobmill.domain.states import Priority
from jobmill.entrypoints.cli.exits import Exit

from tests.builders import failed, started, succeeded
from tests.contract.store_world import StoreWorld
from tests.unit.entrypoints.cli.mill import Mill

KEYED = ("submit", "simulate", "--idempotency-key", "k")


def test_a_job_is_stored_and_its_id_and_status_are_printed(shop: Mill) -> None:
    told = shop.run("submit", "thumbnail.make", '{"picture":"a.png"}')

    [job] = shop.run("jobs", "--json").records
    assert told.code == Exit.DONE
    assert told.lines == [f"{job['id']}  queued"]
    assert told.err == ""
    assert job["payload"] == {"picture": "a.png"}
    assert job["queue"] == "pictures"


def test_a_stored_job_waits_in_the_outbox_for_the_running_process(mill: Mill) -> None:
    mill.run("submit", "simulate")

    [notice] = mill.has(lambda world: world.notices())
    assert notice.job.type == "simulate"


def test_every_option_of_a_job_can_be_given(shop: Mill) -> None:
    options = "--queue default --priority high --ttl 2h --max-attempts 7 --timeout 90s"
    more = "--correlation-id c --tenant t --tag x --tag y --json"

    told = shop.run("submit", "thumbnail.make", '{"picture":"a"}', *options.split(), *more.split())

    [job] = told.records
    assert told.code == Exit.DONE
    assert job["queue"] == "default"
    assert job["priority"] == Priority.HIGH.value
    assert (job["ttl_s"], job["timeout_s"], job["max_attempts"]) == (7_200, 90, 7)
    assert (job["correlation_id"], job["tenant"], job["tags"]) == ("c", "t", ["x", "y"])


def test_a_job_may_follow_another(mill: Mill) -> None:
    first = mill.run("submit", "simulate", "--json").records[0]

    told = mill.run("submit", "simulate", "--follows", first["id"], "--json")

    assert (told.records[0]["status"], told.records[0]["follows"]) == ("scheduled", first["id"])


def test_a_delay_makes_a_job_for_later(mill: Mill) -> None:
    told = mill.run("submit", "simulate", "--delay", "1h30m", "--json")

    job = mill.has(lambda world: world.store.finder.page(JobQuery()))[0]
    assert told.records[0]["status"] == "scheduled"
    assert job.run_at == job.created_at + timedelta(minutes=90)


def test_a_time_makes_a_job_for_later_too(mill: Mill) -> None:
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"

    [job] = mill.run("submit", "simulate", "--run-at", tomorrow, "--json").records

    assert job["run_at"] == tomorrow


def test_a_time_without_its_zone_is_refused(mill: Mill) -> None:
    told = mill.run("submit", "simulate", "--run-at", "2030-01-31T08:00:00")

    assert told.code == Exit.REFUSED
    assert told.err == "jobmill: /run_at: must be a time with its zone, as in 2030-01-31T08:00:00Z\n"


def test_a_payload_can_come_from_a_file(shop: Mill) -> None:
    (shop.folder / "payload.json").write_text('{"picture":"b.png"}')

    [job] = shop.run("submit", "thumbnail.make", "--payload-file", "payload.json", "--json").records

    assert job["payload"] == {"picture": "b.png"}


def test_a_payload_can_come_from_standard_input(shop: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"picture":"c.png"}')))

    [job] = shop.run("submit", "thumbnail.make", "--payload-file", "-", "--json").records

    assert job["payload"] == {"picture": "c.png"}


def test_a_payload_that_the_type_refuses_is_refused_with_every_fault_and_its_place(shop: Mill) -> None:
    told = shop.run("submit", "thumbnail.make", '{"picture":3,"x":1}', "--tag", "")

    assert told.code == Exit.REFUSED
    assert told.out == ""
    assert "jobmill: /payload/picture: must be a text, not a number" in told.err.replace(
        "an integer", "a number"
    )
    assert "jobmill: /payload/x: unknown field" in told.err
    assert "jobmill: /tags/0: must have 1 to 50 characters, not 0" in told.err
    assert shop.run("jobs", "--json").records == []


def test_an_unknown_type_is_refused_with_the_known_ones(shop: Mill) -> None:
    told = shop.run("submit", "thumbnial.make", "{}")

    assert told.code == Exit.REFUSED
    assert "unknown type 'thumbnial.make' (did you mean 'thumbnail.make'?); known types: " in told.err


@pytest.mark.parametrize(
    ("tokens", "complaint"),
    [
        (["simulate", "{"], "/payload: is not JSON at line 1, column 2"),
        (["simulate", '{"a":1,"a":2}'], "/payload: an object names 'a' twice"),
        (
            ["simulate", "--payload-file", "nowhere.json"],
            "--payload-file: No such file or directory",
        ),
        (
            ["simulate", "{}", "--payload-file", "x"],
            "as JSON or by --payload-file, not both",
        ),
        (["simulate", "--delay", "5x"], "--delay: '5x' is no duration; write it like 90s, 5m, 2h or 1h30m"),
        (["simulate", "--priority", "urgent"], 'Choose from: "high", "normal", "low".'),
        (["simulate", "--max-attempts", "0"], "--max-attempts. Must be >= 1."),
        (["simulate", "--wiat"], "Unknown option: --wiat. Did you mean --wait?"),
        ([], "TYPE requires an argument"),
    ],
)
def test_a_wrong_command_line_is_told_in_a_line_and_stores_nothing(
    mill: Mill, tokens: list[str], complaint: str
) -> None:
    told = mill.run("submit", *tokens)

    assert told.code == Exit.WRONG_USE
    assert complaint in told.err
    assert len(told.err.splitlines()) <= 2
    assert mill.run("jobs", "--json").records == []


def test_the_same_request_under_the_same_key_shows_the_first_job(mill: Mill) -> None:
    first = mill.run(*KEYED).lines[0]

    again = mill.run(*KEYED)

    assert again.code == Exit.DONE
    assert again.lines == [f"{first}   (an earlier request under the same key made it)"]


def test_another_request_under_the_same_key_is_refused(mill: Mill) -> None:
    mill.run(*KEYED)

    told = mill.run(*KEYED, "--priority", "low")

    assert told.code == Exit.REFUSED
    assert told.err.startswith("jobmill: the key 'k' belongs to another request")


def test_waiting_for_a_job_that_succeeds_prints_its_attempts(mill: Mill) -> None:
    [job_id] = [line.split()[0] for line in mill.run(*KEYED).lines]
    mill.has(_one_failure_then_success)

    told = mill.run(*KEYED, "--wait")

    assert told.code == Exit.DONE
    assert told.lines == [
        f"{job_id}  attempt 1  failed",
        "    simulated failure   to be retried",
        f"{job_id}  attempt 2  succeeded  0.05 s",
    ]


def test_waiting_for_a_job_that_fails_ends_with_an_exit_code_of_its_own(mill: Mill) -> None:
    mill.run(*KEYED)
    mill.has(_permanent_failure)

    told = mill.run(*KEYED, "--wait")

    assert told.code == 3
    assert "    simulated failure (permanent)" in told.lines


def test_waiting_with_json_prints_the_finished_job_alone(mill: Mill) -> None:
    mill.run(*KEYED)
    mill.has(_permanent_failure)

    told = mill.run(*KEYED, "--wait", "--json")

    assert told.code == Exit.NOT_SUCCEEDED
    assert [job["status"] for job in told.records] == ["failed"]


def test_who_stops_waiting_is_told_that_the_job_goes_on(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    async def press_ctrl_c(_: float) -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()

    monkeypatch.setattr("jobmill.entrypoints.cli.submit.pause", press_ctrl_c)

    told = mill.run("submit", "simulate", "--wait")

    [job] = mill.run("jobs", "--json").records
    assert told.code == Exit.INTERRUPTED
    assert told.err == f"no longer waiting; the job goes on: `jobmill job {job['id']}`\n"


async def _one_failure_then_success(world: StoreWorld) -> None:
    [job] = await world.store.finder.page(JobQuery())
    failure = Failure(kind=FailureKind.TRANSIENT, message="simulated failure", retry_after=timedelta(0))
    job = await world.saved(started(job, now=world.now))
    job = await world.saved(failed(job, failure, now=world.now))
    job = await world.saved(started(job, now=world.now))
    assert job.started_at is not None
    await world.saved(succeeded(job, now=job.started_at + timedelta(seconds=0.05)))


async def _permanent_failure(world: StoreWorld) -> None:
    [job] = await world.store.finder.page(JobQuery())
    failure = Failure(kind=FailureKind.PERMANENT, message="simulated failure (permanent)")
    await world.saved(failed(await world.saved(started(job, now=world.now)), failure, now=world.now))
