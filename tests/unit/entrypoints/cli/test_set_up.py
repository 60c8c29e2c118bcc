"""``jobmill migrate``, ``types``, ``topology`` and ``version``."""

import asyncio
import json
import re
import stat

import aiormq
import pytest

from jobmill.entrypoints.cli.exits import Exit

from tests.servers.amqp_place import AmqpPlace
from tests.unit.entrypoints.cli.mill import Mill, Told

DIGITS = re.compile(r"\d+")


def test_migrating_makes_the_database_and_says_from_where_to_where(bare_folder: Mill) -> None:
    told = bare_folder.run("migrate")

    assert told.code == Exit.DONE
    assert re.fullmatch(r"0 → \d+, \d+\.\d s\n", told.out)
    assert bare_folder.run("jobs").code == Exit.DONE


def test_the_folder_of_the_embedded_database_is_for_its_owner_and_not_for_git(bare_folder: Mill) -> None:
    bare_folder.run("migrate")

    home = bare_folder.file.parent
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert (home / ".gitignore").read_text() == "*\n"


def test_a_database_of_ones_own_leaves_its_folder_alone(
    bare_folder: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBMILL_DATABASE_URL", "sqlite:///own.db")

    assert bare_folder.run("migrate").code == Exit.DONE
    assert {path.name for path in bare_folder.folder.iterdir()} == {"own.db"}


def test_migrating_again_changes_nothing_and_says_so(mill: Mill) -> None:
    assert re.fullmatch(r"\d+, nothing to do, \d+\.\d s\n", mill.run("migrate").out)


def test_types_are_listed_with_their_rules_and_the_fields_of_their_payload(shop: Mill) -> None:
    told = shop.run("types")

    [line] = [line for line in told.lines if line.startswith("thumbnail.make")]
    assert told.lines[0].split() == ["TYPE", "QUEUE", "ATTEMPTS", "TIMEOUT", "PAYLOAD"]
    assert line.split(maxsplit=3) == ["thumbnail.make", "pictures", "5", "5 min    picture width?"]
    assert {"email", "simulate", "webhook"} <= {line.split()[0] for line in told.lines}


def test_types_as_json_have_their_schemas(shop: Mill) -> None:
    [record] = [one for one in shop.run("types", "--json").records if one["type"] == "thumbnail.make"]

    assert record["max_attempts"] == 5
    assert record["timeout_s"] == 300
    assert record["components"]["Thumbnail"]["required"] == ["picture"]


def test_types_need_no_database(bare_folder: Mill) -> None:
    assert bare_folder.run("types").code == Exit.DONE
    assert list(bare_folder.folder.iterdir()) == []


def test_the_embedded_bus_has_no_topology(mill: Mill) -> None:
    told = mill.run("topology", "plan")

    assert told.code == Exit.WRONG_USE
    assert told.err.startswith("jobmill: memory:// has no queues to look after; set JOBMILL_BROKER_URL")


@pytest.fixture
def mill_with_broker(mill: Mill, amqp: AmqpPlace, monkeypatch: pytest.MonkeyPatch) -> Mill:
    """A folder whose jobs are announced on RabbitMQ."""
    amqp.uses("call", "email", "push", "simulate", "sms", "webhook")
    monkeypatch.setenv("JOBMILL_BROKER_URL", amqp.url)
    monkeypatch.setenv("JOBMILL_PREFIX", amqp.prefix)
    return mill


def test_a_plan_shows_what_is_missing_and_changes_nothing(mill_with_broker: Mill, amqp: AmqpPlace) -> None:
    told = mill_with_broker.run("topology", "plan")

    assert told.code == Exit.DONE
    assert f"create  queue     {amqp.prefix}.email.high" in told.lines
    assert re.fullmatch(r"to create \d+ queues, \d+ exchanges; unchanged 0", told.lines[-1])
    assert mill_with_broker.run("topology", "plan").out == told.out


def test_applying_creates_what_is_missing_once(mill_with_broker: Mill) -> None:
    first = mill_with_broker.run("topology", "apply")
    again = mill_with_broker.run("topology", "apply")

    queues, exchanges, unchanged = map(int, DIGITS.findall(first.out))
    assert first.out == f"created {queues} queues, {exchanges} exchanges; unchanged 0\n"
    assert queues > exchanges > 0 == unchanged
    assert again.out == f"created 0 queues, 0 exchanges; unchanged {queues + exchanges}\n"


def test_a_queue_of_another_make_is_shown_and_nothing_is_applied(
    mill_with_broker: Mill, amqp: AmqpPlace
) -> None:
    asyncio.run(_declare_classic_queue(amqp.url, f"{amqp.prefix}.email.high"))

    plan = mill_with_broker.run("topology", "plan")
    apply = mill_with_broker.run("topology", "apply")

    assert plan.code == apply.code == Exit.REFUSED
    assert f"clash   queue     {amqp.prefix}.email.high" in plan.lines
    assert plan.lines[-1].endswith("; unchanged 0; clashing 1")
    assert f"queue {amqp.prefix}.email.high clashes" in apply.err
    assert mill_with_broker.run("topology", "plan").out == plan.out


def test_a_submitted_job_is_announced_on_the_broker_before_the_command_ends(mill_with_broker: Mill) -> None:
    mill_with_broker.run("topology", "apply")

    told = mill_with_broker.run("submit", "simulate")

    assert (told.code, told.err) == (Exit.DONE, "")
    assert mill_with_broker.has(lambda world: world.notices()) == []


def test_a_requeued_job_is_announced_likewise(mill_with_broker: Mill) -> None:
    mill_with_broker.run("topology", "apply")
    job = mill_with_broker.has(lambda world: world.dead(type="simulate"))
    mill_with_broker.has(lambda world: world.forgets_all_notices())

    told = mill_with_broker.run("requeue", job.id)

    assert (told.code, told.err) == (Exit.DONE, "")
    assert mill_with_broker.has(lambda world: world.notices()) == []


def test_a_broker_without_the_queues_leaves_the_job_stored(mill_with_broker: Mill) -> None:
    told = mill_with_broker.run("submit", "simulate")

    assert told.code == Exit.DONE
    assert len(mill_with_broker.has(lambda world: world.notices())) == 1


@pytest.mark.parametrize("asked", ["version", "--version"])
def test_the_version_is_one_line(bare_folder: Mill, asked: str) -> None:
    told = bare_folder.run(asked)

    assert re.fullmatch(r"jobmill \d+\.\d+\.\d+\n", told.out)
    assert told == Told(code=Exit.DONE, out=told.out, err="")


def test_every_record_of_types_is_json_on_one_line(mill: Mill) -> None:
    for line in mill.run("types", "--json").out.splitlines():
        assert isinstance(json.loads(line), dict)


async def _declare_classic_queue(url: str, name: str) -> None:
    connection = await aiormq.connect(url)
    try:
        channel = await connection.channel()
        await channel.queue_declare(name, durable=True)
    finally:
        await connection.close()
