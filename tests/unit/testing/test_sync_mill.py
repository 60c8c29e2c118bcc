"""The same verbs in tests that are no coroutines."""

import pytest

from jobmill.application.client import Submission
from jobmill.domain.states import JobState
from jobmill.testing import CrashNotReached, MillEnded, RealTime, SyncVirtualMill

from tests.builders import HOUR, SECOND
from tests.unit.testing.shop import Charge, FakeBank, Number, charge, double, handlers, refused


def test_a_job_runs_while_time_is_let_pass(sync_mill: SyncVirtualMill) -> None:
    job = sync_mill.submit(double, Number(4))
    before = sync_mill.now

    sync_mill.advance(5 * SECOND)

    sync_mill.expect(job).succeeded(result=8)
    assert sync_mill.now - before == 5 * SECOND


def test_a_crash_is_survived(sync_mill: SyncVirtualMill, bank: FakeBank) -> None:
    sync_mill.crash(charge, after="effect")
    job = sync_mill.submit(charge, Charge(order=7, card="tok_1", cents=1250))

    sync_mill.run_until_idle()

    assert sync_mill.job(job).attempts == 2
    assert bank.charges == {job.id: 1250}
    assert len(sync_mill.effects) == 1
    assert any("dies by" in line for line in sync_mill.trace)


def test_every_verb_of_a_client_is_there(sync_mill: SyncVirtualMill) -> None:
    first, second = sync_mill.submit_many(
        [Submission(double, Number(n), options={"delay": HOUR}) for n in (1, 2)]
    )
    sync_mill.cancel(first)
    sync_mill.requeue(first)

    assert sync_mill.wait(first).result == 2
    assert [job.id for job in sync_mill.list(type=double)] == [second.id, first.id]
    assert sync_mill.get(second).status is JobState.SCHEDULED


def test_the_broker_can_go_and_come_back(sync_mill: SyncVirtualMill) -> None:
    sync_mill.deliver_twice()
    with sync_mill.broker_down():
        sync_mill.submit(double, Number())
        sync_mill.advance(SECOND)
        sync_mill.expect_all().waits()
    sync_mill.broker_loses_everything()

    sync_mill.run_until_idle()

    sync_mill.expect_all().succeeded()


def test_it_stands_without_pytest_too() -> None:
    with SyncVirtualMill(handlers) as mill:
        job = mill.submit("number.refused", {"number": 1})
        mill.run_until_idle()
        mill.expect(job).failed(attempts=2)


def test_a_point_that_no_job_came_to_fails_the_test() -> None:
    mill = SyncVirtualMill()
    mill.crash(refused, after="claim")

    with pytest.raises(CrashNotReached, match="there were none"):
        mill.finish()
    with pytest.raises(MillEnded, match="another SyncVirtualMill"):
        mill.run_until_idle()


def test_a_failure_of_the_test_is_told_rather_than_a_point_not_reached() -> None:
    def scenario() -> None:
        with SyncVirtualMill() as mill:
            mill.crash(double, after="effect")
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        scenario()


async def test_inside_of_a_coroutine_the_other_one_is_asked_for() -> None:
    mill = SyncVirtualMill()

    with pytest.raises(RealTime, match="use VirtualMill"):
        mill.submit(double, Number())
