"""``jobmill doctor``: what is in order, the mend of what is not, and what the new code could not run."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from jobmill.application.handlers import JobHandlers, JobType
from jobmill.application.ports.type_registry import WorkerCard
from jobmill.application.type_keeper import stored_form
from jobmill.domain.states import JobState

from tests.builders import a_job, a_job_that_is
from tests.contract.store_world import StoreWorld
from tests.unit.entrypoints.cli.mill import Mill

SHOP = "tests.unit.entrypoints.cli.shop_handlers"


def results(mill: Mill, *options: str) -> dict[str, str]:
    """The word of each check."""
    told = mill.run("doctor", "--json", *options)
    return {record["check"]: record["result"] for record in told.records}


def a_type(name: str, version: int = 1) -> JobType[Any]:
    async def run(_payload: dict[str, Any]) -> None:
        """Do nothing."""

    return JobHandlers().register(name, version=version)(run)


def living(name: str, *types: JobType[Any]) -> Callable[[StoreWorld], Awaitable[None]]:
    """A worker that shows itself with these types."""

    async def work(world: StoreWorld) -> None:
        await world.store.types.declare([stored_form(each) for each in types])
        hashes = {each.name: each.schema_hash for each in types}
        await world.store.types.attend(WorkerCard(name=name, concurrency=10, types=hashes))

    return work


OWN = [a_type(name) for name in ("call", "email", "push", "simulate", "sms", "webhook")]


def test_a_mill_that_is_in_order_says_so_line_by_line(mill: Mill) -> None:
    mill.has(living("worker", *OWN))

    told = mill.run("doctor")

    assert told.code == 0
    assert [line.split()[:2] for line in told.lines] == [
        ["ok", check]
        for check in (
            "settings",
            "handlers",
            "broker",
            "database",
            "durability",
            "workers",
            "types",
            "schemas",
            "ingress",
            "clock",
        )
    ]


def test_without_a_worker_that_is_to_mend(mill: Mill) -> None:
    told = mill.run("doctor")

    assert told.code == 1
    assert "mend  workers     none lives; start `jobmill worker`, or `jobmill up`" in told.lines


def test_a_type_that_no_living_worker_runs_is_to_mend(shop: Mill) -> None:
    shop.has(living("worker", *OWN))

    told = shop.run("doctor")

    assert told.code == 1
    mend = "no living worker runs thumbnail.make; start one with their handlers"
    assert f"mend  types       {mend}" in told.lines


def test_a_type_of_old_code_is_to_mend_only_while_jobs_wait_for_it(mill: Mill) -> None:
    gone = a_type("fax")

    async def declared(world: StoreWorld) -> None:
        await world.store.types.declare([stored_form(gone)])

    mill.has(living("worker", *OWN))
    mill.has(declared)
    assert results(mill)["types"] == "ok"

    mill.has(lambda world: world.queued(type="fax"))

    assert results(mill)["types"] == "mend"


def test_two_schemas_under_one_name_are_to_mend(mill: Mill) -> None:
    mill.has(living("old", *OWN))
    mill.has(living("new", *OWN[1:], a_type("email", version=2)))

    found = results(mill)

    assert (found["schemas"], found["types"]) == ("mend", "ok")


def test_wrong_settings_are_a_line_too(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBMILL_BROKER", "x")

    told = mill.run("doctor")

    assert told.code == 1
    assert told.out.startswith("mend  settings    JOBMILL_BROKER: no such setting")


def test_handlers_that_cannot_be_loaded_do_not_hide_the_rest(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBMILL_HANDLERS", "nowhere")

    found = results(mill)

    assert (found["handlers"], found["database"]) == ("mend", "ok")


def test_a_database_that_is_not_there_is_the_last_line(bare_folder: Mill) -> None:
    told = bare_folder.run("doctor")

    assert told.code == 1
    assert told.lines[-1].startswith("mend  database    no Jobmill here")


def test_a_broker_that_cannot_be_reached_is_to_mend(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBMILL_BROKER_URL", "amqp://guest:secret@127.0.0.1:1/")

    told = mill.run("doctor")

    assert told.code == 1
    assert "mend  broker" in told.out
    assert "secret" not in told.out


WRONG_EMAIL = '{"to":"ada@example.com","subject":1,"body":""}'
THUMBNAIL: dict[str, Any] = {"type": "thumbnail.make", "payload": '{"picture":"a.png"}'}


def test_before_a_deploy_every_job_that_the_new_code_cannot_run_is_named(shop: Mill) -> None:
    async def jobs(world: StoreWorld) -> list[Any]:
        return [
            await world.queued(**THUMBNAIL),
            await world.has(a_job_that_is(JobState.SCHEDULED, now=world.now, payload=WRONG_EMAIL)),
            await world.queued(type="fax", payload="{}"),
            await world.dead(**THUMBNAIL | {"payload": '{"picture":1,"size":2}'}),
            await world.queued(**THUMBNAIL, payload_version=2),
            await world.done(type="fax"),
        ]

    fine, email, fax, dead, newer, _ = shop.has(jobs)

    told = shop.run("doctor", "--before-deploy")

    too_new = "is of version 2; this code knows versions up to 1"
    assert told.code == 1
    assert told.lines == [
        f"{email.id}  scheduled   email  /payload/subject: must be a text, not an integer",
        f"{fax.id}  queued      fax  /type: no handler declares the type 'fax'",
        f"{dead.id}  failed      thumbnail.make  /payload/picture: must be a text, not an integer",
        f"{dead.id}  failed      thumbnail.make  /payload/size: unknown field",
        f"{newer.id}  queued      thumbnail.make  /payload: {too_new}",
        "       1  email",
        "       1  fax",
        "       2  thumbnail.make",
        "5 jobs looked at, 4 that the new code cannot run",
    ]
    assert str(fine.id) not in told.out


def test_before_a_deploy_all_is_well_where_all_can_be_run(shop: Mill) -> None:
    shop.has(lambda world: world.queued(**THUMBNAIL))

    told = shop.run("doctor", "--before-deploy")

    assert told.code == 0
    assert told.lines == ["1 jobs looked at, 0 that the new code cannot run"]


def test_before_a_deploy_the_findings_can_be_read_by_programs(shop: Mill) -> None:
    job = shop.has(lambda world: world.queued(type="fax"))

    told = shop.run("doctor", "--before-deploy", "--json")

    assert told.code == 1
    [found, total] = told.records
    assert (found["id"], found["status"], found["type"]) == (str(job.id), "queued", "fax")
    assert found["faults"] == [{"pointer": "/type", "detail": "no handler declares the type 'fax'"}]
    assert total == {"jobs": 1, "unreadable": {"fax": 1}}


@pytest.mark.parametrize("count", [199, 200, 201, 401])
def test_before_a_deploy_every_page_is_turned(mill: Mill, count: int) -> None:
    states = [JobState.QUEUED, JobState.FAILED, JobState.RETRYING, JobState.EXPIRED, JobState.SCHEDULED]

    async def many(world: StoreWorld) -> None:
        made = [a_job_that_is(states[at % 5], now=world.now, type="fax") for at in range(count)]
        await world.add(*made, a_job(now=world.now, type="simulate", payload="{}"))

    mill.has(many)

    told = mill.run("doctor", "--before-deploy", "--json")

    assert len({record.get("id") for record in told.records[:-1]}) == count
    assert told.records[-1] == {"jobs": count + 1, "unreadable": {"fax": count}}


@pytest.mark.parametrize(
    ("binding", "mend"),
    [
        (
            '{"calls": {"queue": "q", "shape": "body", "type": "dial"}}',
            "no type is called dial (binding calls)",
        ),
        ('{"a": {"queue": "q", "types": {"A": "a.b"}}}', "no type is called a.b (binding a)"),
        ('{"a": {"queue": "q", "job_queue": "slow"}}', "no queue is called slow (binding a)"),
    ],
)
def test_a_binding_to_what_nobody_declared_is_to_mend(
    mill: Mill, monkeypatch: pytest.MonkeyPatch, binding: str, mend: str
) -> None:
    mill.has(living("worker", *OWN))
    monkeypatch.setenv("JOBMILL_INGRESS", binding)

    told = mill.run("doctor")

    assert told.code == 1
    assert [line for line in told.lines if line.startswith("mend") and mend in line] != []
