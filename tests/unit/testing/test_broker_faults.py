"""A broker that doubles, goes away, and forgets."""

from attrs import define

from jobmill import JobContext
from jobmill.adapters.memory import MemoryBroker
from jobmill.adapters.memory.message import Held
from jobmill.testing import VirtualMill

from tests.builders import MINUTE, SECOND
from tests.unit.testing.shop import Number, double, of, slow


async def test_a_notice_that_comes_twice_runs_a_job_once(mill: VirtualMill) -> None:
    broker = _counted(mill)
    began: list[int] = []

    async def work(number: Number, _job: JobContext) -> None:
        began.append(number.number)

    mill.deliver_twice(job_type := of(work))
    await mill.submit(job_type, Number(1))
    await mill.run_until_idle()

    assert began == [1]
    assert broker.handed_out == 2


async def test_only_the_type_that_was_named_comes_twice(mill: VirtualMill) -> None:
    broker = _counted(mill)
    mill.deliver_twice(slow)
    await mill.submit(double, Number())
    await mill.run_until_idle()

    assert broker.handed_out == 1


async def test_by_default_every_notice_comes_twice(mill: VirtualMill) -> None:
    broker = _counted(mill)
    mill.deliver_twice()
    await mill.submit(double, Number())
    await mill.run_until_idle()

    assert broker.handed_out == 2


async def test_while_the_broker_is_down_jobs_are_accepted_and_wait(mill: VirtualMill) -> None:
    with mill.broker_down():
        job = await mill.submit(double, Number(2))
        await mill.advance(MINUTE)
        mill.expect(job).waits()

    await mill.run_until_idle()
    mill.expect(job).succeeded(result=4)


async def test_a_worker_that_starts_meanwhile_does_not_reach_the_broker_either(mill: VirtualMill) -> None:
    with mill.broker_down():
        job = await mill.submit(double, Number(2))
        late = await mill.submit(of(_nothing, queue="late"), Number())
        await mill.advance(MINUTE)
        mill.expect(late).waits()

    await mill.run_until_idle()
    mill.expect_all().succeeded()
    mill.expect(job).succeeded(attempts=1)


async def test_jobs_outlive_a_broker_that_loses_everything(mill: VirtualMill) -> None:
    with mill.broker_down():
        jobs = [await mill.submit(slow, Number(n)) for n in range(30)]
        mill.broker_loses_everything()
    await mill.advance(SECOND)
    mill.broker_loses_everything()

    await mill.run_until_idle()

    assert len(jobs) == 30
    mill.expect_all().succeeded()


async def _nothing(_number: Number, _job: JobContext) -> None:
    """Have a queue of its own."""


@define(eq=False, kw_only=True)
class _CountingBroker(MemoryBroker):
    handed_out: int = 0

    def hand_out(self, held: Held) -> None:
        self.handed_out += 1
        super().hand_out(held)


def _counted(mill: VirtualMill) -> _CountingBroker:
    """The mill's broker, which counts the messages that workers receive."""
    mill._world.broker = broker = _CountingBroker(queues=["default"])
    return broker
