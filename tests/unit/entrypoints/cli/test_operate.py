"""``jobmill cancel``, ``requeue`` and ``discard``: what they do to jobs, and what they print."""

from uuid import UUID

from jobmill.domain.job import Job
from jobmill.entrypoints.cli.exits import Exit

from tests.builders import an_id
from tests.contract.store_world import StoreWorld
from tests.unit.entrypoints.cli.mill import Mill, Told
from tests.unit.entrypoints.cli.test_looking import _dead_letters

PICTURE = '{"picture":"a.png"}'


def test_a_waiting_job_is_taken_back(mill: Mill) -> None:
    job = mill.has(lambda world: world.queued())

    assert mill.run("cancel", job.id) == Told(code=Exit.DONE, out=f"{job.id}  cancelled\n", err="")
    assert _status(mill, job.id) == "cancelled"


def test_a_running_job_is_asked_to_stop(mill: Mill) -> None:
    job = mill.has(lambda world: world.running())

    told = mill.run("cancel", job.id)

    assert told.out == f"{job.id}  processing, asked to stop\n"
    assert mill.has(lambda world: world.seen(job)).stop_asked


def test_a_job_that_refuses_does_not_keep_the_others(mill: Mill) -> None:
    done, waiting = mill.has(_one_done_and_one_waiting)
    unknown = an_id()

    told = mill.run("cancel", unknown, done.id, waiting.id, waiting.id)

    assert told.code == Exit.REFUSED
    assert told.out == f"{waiting.id}  cancelled\n"
    assert told.err.splitlines() == [
        f"jobmill: no job has the id {unknown}",
        f"jobmill: cannot cancel job {done.id}: it is succeeded",
    ]


def test_without_an_id_there_is_nothing_to_do(mill: Mill) -> None:
    told = mill.run("cancel")

    assert told.code == Exit.WRONG_USE
    assert 'Command "cancel" parameter ID requires an argument.' in told.err


def test_a_dead_job_starts_over_and_is_announced(mill: Mill) -> None:
    job = mill.has(_dead_and_forgotten)

    told = mill.run("requeue", job.id)

    assert told == Told(code=Exit.DONE, out=f"{job.id}  queued\n", err="")
    assert [notice.job.id for notice in mill.has(lambda world: world.notices())] == [job.id]


def test_a_dead_job_can_start_over_with_another_payload(shop: Mill) -> None:
    job = shop.has(lambda world: world.dead(type="thumbnail.make"))

    told = shop.run("requeue", job.id, "--payload", PICTURE)

    assert told.code == Exit.DONE
    assert shop.has(lambda world: world.seen(job)).payload == PICTURE


def test_a_payload_that_the_type_refuses_leaves_the_job_dead(shop: Mill) -> None:
    job = shop.has(lambda world: world.dead(type="thumbnail.make"))

    told = shop.run("requeue", job.id, "--payload", "{}")

    assert told.code == Exit.REFUSED
    assert told.err == "jobmill: /payload/picture: is required\n"
    assert _status(shop, job.id) == "failed"


def test_a_payload_that_is_no_json_is_a_wrong_command_line(shop: Mill) -> None:
    told = shop.run("requeue", an_id(), "--payload", "{")

    assert told.code == Exit.WRONG_USE
    assert told.err.startswith("jobmill: /payload: is not JSON")


def test_one_payload_is_not_for_many_jobs(shop: Mill) -> None:
    told = shop.run("requeue", an_id(), an_id(), "--payload", PICTURE)

    assert told == Told(code=Exit.WRONG_USE, out="", err="jobmill: --payload is for a single job\n")


def test_dead_letters_are_put_away(mill: Mill) -> None:
    dead, message = mill.has(_dead_letters)

    told = mill.run("discard", dead.id, message.id)

    assert told.code == Exit.DONE
    assert told.lines == [f"{dead.id}  discarded", f"{message.id}  discarded"]
    assert mill.run("dead", "--json").records == []


def test_a_job_that_is_not_dead_is_not_put_away(mill: Mill) -> None:
    job = mill.has(lambda world: world.queued())

    told = mill.run("discard", job.id)

    assert told.code == Exit.REFUSED
    assert told.err == f"jobmill: cannot discard job {job.id}: it is queued\n"


def _status(mill: Mill, job_id: UUID) -> str:
    [record] = mill.run("job", job_id, "--json").records
    return str(record["status"])


async def _one_done_and_one_waiting(world: StoreWorld) -> tuple[Job, Job]:
    return await world.done(), await world.queued()


async def _dead_and_forgotten(world: StoreWorld) -> Job:
    job = await world.dead()
    await world.forgets_all_notices()
    return job
