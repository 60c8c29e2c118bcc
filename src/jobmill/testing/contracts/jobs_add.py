"""``JobRepository.add``: jobs, keys and notices are stored together, a unit whole or not at all."""

from datetime import timedelta

import pytest

from jobmill.application.errors import StorageRefused
from jobmill.application.ports.job_repository import Conflicting, NewJob, Replayed, Stored, Withheld
from jobmill.domain.idempotency import KeyClaim
from jobmill.domain.states import JobState, Target
from jobmill.testing.builders import (
    HOUR,
    NOW,
    a_job,
    a_job_that_is,
    a_stamp,
    a_submitted_job,
    an_id,
    failed,
    started,
)
from jobmill.testing.contracts.store_world import StoreWorld


def a_key(
    key: str = "order-7", *, scope: str = "ada", fingerprint: str = "f", hold: timedelta = HOUR
) -> KeyClaim:
    return KeyClaim(scope=scope, key=key, fingerprint=fingerprint, hold=hold)


async def test_a_new_job_is_stored_with_everything_known_of_it(world: StoreWorld) -> None:
    job = a_submitted_job(
        now=world.now,
        ttl=HOUR,
        max_attempts=7,
        timeout=timedelta(seconds=1.5),
        correlation_id="corr-1",
        idempotency_key="order-7",
        tenant="acme",
        tags=("a", "b c", "ü"),
    )

    assert await world.add(job) == [Stored(job=job)]
    assert await world.seen(job) == job


@pytest.mark.parametrize("state", JobState)
async def test_a_job_of_any_state_comes_back_as_it_was_stored(world: StoreWorld, state: JobState) -> None:
    job = a_job_that_is(state, result='{"a":1}', edition=2, postpones=3, announces=4, suspect=True)

    await world.has(job)

    assert await world.seen(job) == job


async def test_payload_and_result_are_kept_to_the_letter(world: StoreWorld) -> None:
    job = await world.has(a_job(payload='{ "a":1.0, "a":"\\u0000 🦆",\n"b":[]}', result='  "x" '))

    assert (await world.seen(job)).payload == '{ "a":1.0, "a":"\\u0000 🦆",\n"b":[]}'
    assert (await world.seen(job)).result == '  "x" '


async def test_the_smallest_and_the_largest_stamp_are_kept(world: StoreWorld) -> None:
    for stamp in (-(2**63), 2**63 - 1, 0):
        job = await world.has(a_job(stamp=stamp))

        assert (await world.seen(job)).stamp == stamp
        [notice] = await world.notices_of(job)
        assert notice.row == stamp


async def test_a_queued_job_gets_a_notice_under_its_stamp(world: StoreWorld) -> None:
    job = await world.queued()

    [notice] = await world.notices()
    assert (notice.row, notice.job, notice.target) == (job.stamp, job, Target.QUEUE)


async def test_a_scheduled_job_gets_no_notice(world: StoreWorld) -> None:
    await world.scheduled()

    assert await world.notices() == []


async def test_answers_stand_per_unit_and_position(world: StoreWorld) -> None:
    high, low, middle = (
        a_job(id=(ids := sorted(an_id() for _ in range(3)))[2]),
        a_job(id=ids[0]),
        a_job(id=ids[1]),
    )

    answers = await world.store.jobs.add([[NewJob(job=high), NewJob(job=low)], [], [NewJob(job=middle)]])

    assert answers == [[Stored(job=high), Stored(job=low)], [], [Stored(job=middle)]]


async def test_adding_again_is_answered_like_the_first_time(world: StoreWorld) -> None:
    job = a_job()

    first = await world.add(job, keys=(a_key(),))
    second = await world.add(job, keys=(a_key(),))

    assert first == second == [Stored(job=job)]
    assert len(await world.notices()) == 1


async def test_adding_again_disturbs_nothing_that_happened_since(world: StoreWorld) -> None:
    job = a_job(now=world.now)
    await world.add(job, keys=(a_key(),))
    running = await world.saved(started(job, now=world.now))
    await world.forgets_all_notices()

    [answer] = await world.add(job, keys=(a_key(),))

    assert isinstance(answer, Stored)
    assert await world.seen(job) == running
    assert await world.notices() == []


async def test_the_same_request_under_a_key_is_answered_with_the_first_job(world: StoreWorld) -> None:
    first = await world.queued(keys=(a_key(),))
    second = a_job()

    assert await world.add(second, keys=(a_key(),)) == [Replayed(job=first)]
    assert await world.store.jobs.get([second.id]) == [None]
    assert await world.notices_of(second) == []


async def test_a_replay_shows_the_first_job_as_it_stands_now(world: StoreWorld) -> None:
    first = await world.running(keys=(a_key(),))

    assert await world.add(a_job(), keys=(a_key(),)) == [Replayed(job=first)]


async def test_another_request_under_a_key_conflicts(world: StoreWorld) -> None:
    first = await world.queued(keys=(a_key(fingerprint="this"),))
    second = a_job()

    answers = await world.add(second, keys=(a_key(fingerprint="that"),))

    assert answers == [Conflicting(key="order-7", job_id=first.id)]
    assert await world.store.jobs.get([second.id]) == [None]


async def test_keys_of_different_scopes_never_meet(world: StoreWorld) -> None:
    await world.queued(keys=(a_key(scope="ada"),))
    second = a_job()

    assert await world.add(second, keys=(a_key(scope="bob", fingerprint="other"),)) == [Stored(job=second)]


async def test_keys_are_compared_exactly(world: StoreWorld) -> None:
    await world.queued(keys=(a_key("Key"),))

    for other in ("key", "Key ", "Kéy", "Ke%", "Ke_"):
        job = a_job()
        assert await world.add(job, keys=(a_key(other),)) == [Stored(job=job)]


async def test_a_replayed_job_takes_none_of_its_other_keys(world: StoreWorld) -> None:
    await world.queued(keys=(a_key("taken"),))
    await world.add(a_job(), keys=(a_key("free"), a_key("taken")))
    third = a_job()

    assert await world.add(third, keys=(a_key("free", fingerprint="other"),)) == [Stored(job=third)]


async def test_a_conflict_withholds_the_whole_unit(world: StoreWorld) -> None:
    first = await world.queued(keys=(a_key("taken", fingerprint="this"),))
    before, guilty, after = a_job(), a_job(), a_job()

    [answers] = await world.store.jobs.add(
        [
            [
                NewJob(job=before, keys=(a_key("free"),)),
                NewJob(job=guilty, keys=(a_key("taken", fingerprint="that"),)),
                NewJob(job=after),
            ]
        ]
    )

    assert answers == [Withheld(), Conflicting(key="taken", job_id=first.id), Withheld()]
    assert await world.store.jobs.get([before.id, guilty.id, after.id]) == [None, None, None]
    assert [notice.job for notice in await world.notices()] == [first]


async def test_a_withheld_unit_takes_none_of_its_keys(world: StoreWorld) -> None:
    await world.queued(keys=(a_key("taken", fingerprint="this"),))
    unit = [
        NewJob(job=a_job(), keys=(a_key("free"),)),
        NewJob(job=a_job(), keys=(a_key("also free"), a_key("taken", fingerprint="that"))),
    ]
    await world.store.jobs.add([unit])

    for key in ("free", "also free"):
        job = a_job()
        assert await world.add(job, keys=(a_key(key, fingerprint="new"),)) == [Stored(job=job)]


async def test_a_conflict_in_one_unit_leaves_the_others_alone(world: StoreWorld) -> None:
    await world.queued(keys=(a_key("taken", fingerprint="this"),))
    guilty = NewJob(job=a_job(), keys=(a_key("taken", fingerprint="that"),))
    innocent = a_job()

    [_, answers] = await world.store.jobs.add([[guilty], [NewJob(job=innocent, keys=(a_key("free"),))]])

    assert answers == [Stored(job=innocent)]
    assert await world.seen(innocent) == innocent


async def test_a_replay_in_a_unit_does_not_keep_the_rest_from_being_stored(world: StoreWorld) -> None:
    first = await world.queued(keys=(a_key(),))
    neighbour = a_job()

    [answers] = await world.store.jobs.add([[NewJob(job=a_job(), keys=(a_key(),)), NewJob(job=neighbour)]])

    assert answers == [Replayed(job=first), Stored(job=neighbour)]
    assert await world.seen(neighbour) == neighbour


async def test_a_conflict_outweighs_a_replay(world: StoreWorld) -> None:
    await world.queued(keys=(a_key("same"),))
    other = await world.queued(keys=(a_key("other", fingerprint="this"),))

    answers = await world.add(a_job(), keys=(a_key("same"), a_key("other", fingerprint="that")))

    assert answers == [Conflicting(key="other", job_id=other.id)]


async def test_a_key_outlives_its_hold_while_its_job_is_open(world: StoreWorld) -> None:
    hold = timedelta(0)
    for open_job in (
        await world.queued(keys=(a_key("queued", hold=hold),)),
        await world.running(keys=(a_key("running", hold=hold),)),
        await world.retrying(keys=(a_key("retrying", hold=hold),)),
        await world.has(a_submitted_job(now=NOW, delay=HOUR), keys=(a_key("scheduled", hold=hold),)),
    ):
        key = open_job.state.value if open_job.state is not JobState.PROCESSING else "running"
        assert await world.add(a_job(), keys=(a_key(key),)) == [Replayed(job=open_job)]


async def test_a_key_outlives_its_job_while_it_is_held(world: StoreWorld) -> None:
    finished = await world.done(keys=(a_key(hold=HOUR),))

    assert await world.add(a_job(), keys=(a_key(),)) == [Replayed(job=finished)]


async def test_a_key_whose_hold_and_job_are_over_is_taken_over(world: StoreWorld) -> None:
    await world.done(keys=(a_key(fingerprint="this", hold=-HOUR),))
    second, third = a_job(), a_job()

    assert await world.add(second, keys=(a_key(fingerprint="that"),)) == [Stored(job=second)]
    assert await world.add(third, keys=(a_key(fingerprint="that"),)) == [Replayed(job=second)]


async def test_a_key_of_a_job_that_waits_for_its_retry_is_not_free(world: StoreWorld) -> None:
    running = await world.running(keys=(a_key(hold=-HOUR),))
    retrying = await world.saved(failed(running, now=world.now))

    assert await world.add(a_job(), keys=(a_key(),)) == [Replayed(job=retrying)]


async def test_a_job_may_take_several_keys(world: StoreWorld) -> None:
    first = await world.queued(keys=(a_key("one"), a_key("two", scope="unique:email", fingerprint="")))

    assert await world.add(a_job(), keys=(a_key("one"),)) == [Replayed(job=first)]
    again = a_key("two", scope="unique:email", fingerprint="")
    assert await world.add(a_job(), keys=(again,)) == [Replayed(job=first)]


async def test_a_value_that_no_store_can_hold_is_refused_and_nothing_is_stored(world: StoreWorld) -> None:
    good, bad = a_job(), a_job(payload='"\ud800"')

    with pytest.raises(StorageRefused):
        await world.store.jobs.add([[NewJob(job=good)], [NewJob(job=bad)]])

    assert await world.store.jobs.get([good.id]) == [None]
    assert await world.notices() == []


async def test_many_jobs_are_stored_at_once(world: StoreWorld) -> None:
    jobs = [a_job(stamp=a_stamp()) for _ in range(1_000)]

    await world.store.jobs.add([[NewJob(job=job)] for job in jobs])

    assert await world.store.jobs.get([job.id for job in jobs]) == jobs


async def test_jobs_are_found_by_position(world: StoreWorld) -> None:
    one, other = await world.queued(), await world.queued()

    assert await world.store.jobs.get([other.id, an_id(), one.id, other.id]) == [other, None, one, other]
    assert await world.store.jobs.get([]) == []
