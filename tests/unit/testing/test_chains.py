"""Jobs that follow another, in a whole mill: when they go, what they get, what becomes of them otherwise."""

from datetime import timedelta
from typing import Any

import pytest

from jobmill import IllegalTransition, InvalidInput, JobState, Submission
from jobmill.testing import VirtualMill

from tests.unit.testing.chain_jobs import Nothing, Part, make, use, use_in_thread


async def test_a_job_follows_another_with_its_result(mill: VirtualMill) -> None:
    first = await mill.submit(make, Part(7))
    second = await mill.submit(use, Nothing(), follows=first)
    assert (second.status, second.follows) == (JobState.SCHEDULED, first.id)

    await mill.run_until_idle()

    assert (await mill.get(second)).result == {"got": {"made": 7}}


async def test_a_whole_chain_goes_in_at_once(mill: VirtualMill) -> None:
    links: list[Submission[Any]] = [
        Submission(make, Part(1)),
        Submission(use, Nothing(), options={"follows": 0}),
        Submission(use_in_thread, Nothing(), options={"follows": 1}),
    ]
    *_, last = await mill.submit_many(links)

    await mill.run_until_idle()

    assert (await mill.get(last)).result == {"got": {"got": {"made": 1}}}


async def test_a_job_may_follow_one_that_has_succeeded_long_ago(mill: VirtualMill) -> None:
    first = await mill.submit(make, Part(7))
    await mill.run_until_idle()
    second = await mill.submit(use, Nothing(), follows=str(first.id))

    await mill.run_until_idle()

    assert (await mill.get(second)).result == {"got": {"made": 7}}


async def test_all_that_comes_after_a_failure_is_cancelled_and_says_why(mill: VirtualMill) -> None:
    first, second, third = await mill.submit_many(
        [
            Submission(make, Part(breaks=True)),
            Submission(use, Nothing(), options={"follows": 0}),
            Submission(use, Nothing(), options={"follows": 1}),
        ]
    )

    await mill.run_until_idle()

    second, third = await mill.get(second), await mill.get(third)
    assert (second.status, third.status) == (JobState.CANCELLED, JobState.CANCELLED)
    assert second.error == f"the job that it follows, {first.id}, is failed; requeue that one first"
    assert third.error == f"the job that it follows, {second.id}, is cancelled; requeue that one first"


async def test_a_cancelled_follower_starts_over_only_after_its_predecessor_succeeded(
    mill: VirtualMill,
) -> None:
    first, second = await mill.submit_many(
        [Submission(make, Part(7, breaks=True)), Submission(use, Nothing(), options={"follows": 0})]
    )
    await mill.run_until_idle()
    with pytest.raises(IllegalTransition, match="has to succeed"):
        await mill.requeue(second)

    await mill.requeue(first, payload={"number": 7})
    with pytest.raises(IllegalTransition, match="has to succeed"):
        await mill.requeue(second)
    await mill.run_until_idle()
    await mill.requeue(second)
    await mill.run_until_idle()

    assert (await mill.get(second)).result == {"got": {"made": 7}}


async def test_a_held_job_can_be_cancelled_and_goes_no_more(mill: VirtualMill) -> None:
    first = await mill.submit(make, Part(), delay=timedelta(minutes=1))
    second = await mill.submit(use, Nothing(), follows=first)
    await mill.cancel(second)

    await mill.advance(timedelta(minutes=2))

    assert (await mill.get(first)).status is JobState.SUCCEEDED
    assert (await mill.get(second)).status is JobState.CANCELLED


async def test_a_job_that_follows_and_has_a_time_waits_for_both(mill: VirtualMill) -> None:
    first = await mill.submit(make, Part(7))
    second = await mill.submit(use, Nothing(), follows=first, delay=timedelta(minutes=10))
    await mill.run_until_idle()
    assert (await mill.get(second)).status is JobState.SCHEDULED

    await mill.advance(timedelta(minutes=11))

    assert (await mill.get(second)).result == {"got": {"made": 7}}


async def test_time_to_live_counts_from_when_a_job_may_go(mill: VirtualMill) -> None:
    first = await mill.submit(make, Part(7), delay=timedelta(minutes=2))
    second = await mill.submit(use, Nothing(), follows=first, ttl=timedelta(minutes=1))
    assert second.expires_at is None

    await mill.advance(timedelta(minutes=3))

    assert (await mill.get(second)).status is JobState.SUCCEEDED


async def test_a_job_that_follows_none_has_nothing_before_it(mill: VirtualMill) -> None:
    alone = await mill.submit(use, Nothing())
    await mill.run_until_idle()

    assert (await mill.get(alone)).result == {"got": None}


@pytest.mark.parametrize(
    ("follows", "wrong"),
    [
        (0, "no job stands before this one in the request; give the id of a stored job"),
        ("no id", "'no id' is no job's id"),
        ("0190c1a0-0000-7000-8000-000000000000", "no job has the id 0190c1a0-0000-7000-8000-000000000000"),
    ],
)
async def test_whom_a_job_follows_has_to_be_there(mill: VirtualMill, follows: int | str, wrong: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await mill.submit(use, Nothing(), follows=follows)

    assert caught.value.errors == [("/follows", wrong)]


async def test_a_job_follows_none_that_stands_later_in_the_request(mill: VirtualMill) -> None:
    with pytest.raises(InvalidInput) as caught:
        await mill.submit_many(
            [
                Submission(make, Part()),
                Submission(use, Nothing(), options={"follows": 1}),
                Submission(use, Nothing(), options={"follows": -1}),
            ]
        )

    wrong = "must be the number of an earlier job of the request, from 0 to {}, or a stored job's id"
    assert caught.value.errors == [("/1/follows", wrong.format(0)), ("/2/follows", wrong.format(1))]
    assert await mill.list() == []


async def test_a_chain_has_an_end(mill: VirtualMill) -> None:
    links: list[Submission[Any]] = [Submission(make, Part())]
    links += [Submission(use, Nothing(), options={"follows": at}) for at in range(101)]
    with pytest.raises(InvalidInput) as caught:
        await mill.submit_many(links)

    assert caught.value.errors == [("/101/follows", "at most 100 jobs may stand before one in a chain")]
    assert len(await mill.submit_many(links[:101])) == 101


async def test_the_same_chain_under_the_same_keys_is_the_same_chain(mill: VirtualMill) -> None:
    chain: list[Submission[Any]] = [
        Submission(make, Part(), options={"idempotency_key": "one"}),
        Submission(use, Nothing(), options={"idempotency_key": "two", "follows": 0}),
    ]
    first = await mill.submit_many(chain)

    again = await mill.submit_many(chain)

    assert [each.id for each in again] == [each.id for each in first]
    assert all(each.replayed for each in again)


async def test_of_jobs_that_belong_together_all_have_keys_or_none(mill: VirtualMill) -> None:
    with pytest.raises(InvalidInput) as caught:
        await mill.submit_many(
            [
                Submission(make, Part(), options={"idempotency_key": "one"}),
                Submission(use, Nothing(), options={"follows": 0}),
            ]
        )

    detail = "is required, as others have one: jobs that belong together are replayed together"
    assert caught.value.errors == [("/1/idempotency_key", detail)]
