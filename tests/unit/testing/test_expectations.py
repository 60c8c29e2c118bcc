"""Asserts that read well, and say what happened where they fail."""

from datetime import timedelta

import pytest

from jobmill.application.errors import JobNotFound
from jobmill.testing import VirtualMill

from tests.builders import HOUR, MINUTE, an_id
from tests.unit.testing.shop import Charge, FakeBank, Number, charge, double, refused, slow


async def test_a_success_is_expected_with_its_attempts_and_result(mill: VirtualMill) -> None:
    job = await mill.submit(double, Number(2))
    await mill.run_until_idle()

    mill.expect(job).succeeded()
    mill.expect(job.id).succeeded(attempts=1)
    mill.expect(str(job.id)).succeeded(result=4)
    with pytest.raises(AssertionError, match="after 2 attempts, and it took 1"):
        mill.expect(job).succeeded(attempts=2)
    with pytest.raises(AssertionError, match="was to return 5, and it returned 4"):
        mill.expect(job).succeeded(result=5)


async def test_a_failure_is_expected_with_its_reason(mill: VirtualMill, bank: FakeBank) -> None:
    job = await mill.submit(charge, Charge(order=7, card="empty", cents=1))
    await mill.run_until_idle()

    mill.expect(job).failed()
    mill.expect(job).failed(reason="declined", attempts=1)
    with pytest.raises(AssertionError, match="was to fail by 'stolen', and it failed by 'card declined'"):
        mill.expect(job).failed(reason="stolen")


async def test_a_disappointment_shows_the_course_of_the_job(mill: VirtualMill) -> None:
    job = await mill.submit(refused, Number(9))
    await mill.run_until_idle()

    with pytest.raises(AssertionError) as caught:
        mill.expect(job).succeeded()

    lines = str(caught.value).splitlines()
    assert lines[0] == (
        f"number.refused {job.id} was to be succeeded, and it is failed "
        "(attempt 2: ConnectionError: nobody wants 9)"
    )
    assert [line.split(" s  ")[1].partition(":")[2].split(",")[0] for line in lines[2:]] == [
        " submitted number.refused", " started", " retry scheduled", " started", " dead-lettered",
    ]  # fmt: skip


async def test_waiting_cancelled_and_expired_are_told_apart(mill: VirtualMill) -> None:
    later = await mill.submit(double, Number(), delay=HOUR)
    with mill.broker_down():
        late = await mill.submit(double, Number(), ttl=MINUTE)
        await mill.advance(2 * MINUTE)

    mill.expect(later).waits(attempts=0)
    mill.expect(late).expired()
    await mill.cancel(later)
    mill.expect(later).cancelled()
    with pytest.raises(AssertionError, match="was to be waiting, and it is cancelled"):
        mill.expect(later).waits()
    with pytest.raises(AssertionError, match="was to be cancelled, and it is expired"):
        mill.expect(late).cancelled()
    with pytest.raises(AssertionError, match="was to be expired, and it is cancelled"):
        mill.expect(later).expired()


async def test_one_of_all_that_did_not_is_enough(mill: VirtualMill) -> None:
    await mill.submit(double, Number())
    await mill.submit(slow, Number())
    await mill.advance(timedelta(seconds=1))

    mill.expect_all(double).succeeded()
    with pytest.raises(AssertionError, match=r"number\.slow .* is processing"):
        mill.expect_all().succeeded()


async def test_of_no_jobs_at_all_nothing_is_true(mill: VirtualMill) -> None:
    with pytest.raises(AssertionError, match="were to be succeeded, and there is none"):
        mill.expect_all().succeeded()
    with pytest.raises(AssertionError, match="there is none"):
        mill.expect_all(double).waits()


async def test_a_job_that_is_not_there_is_not_found(mill: VirtualMill) -> None:
    with pytest.raises(JobNotFound):
        mill.expect(an_id())
