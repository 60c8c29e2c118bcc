"""The example by which the kit is promised, word for word."""

from datetime import timedelta

from jobmill.testing import VirtualMill

from tests.unit.testing.shop import Charge, FakeBank, charge


async def test_a_worker_that_dies_charges_once(mill: VirtualMill, bank: FakeBank) -> None:
    mill.crash(charge, after="effect", attempt=1)
    job = await mill.submit(charge, Charge(order=7, card="tok_1", cents=1250))

    await mill.advance(timedelta(minutes=1))

    assert (await mill.job(job.id)).attempts == 2
    assert bank.charges == {job.id: 1250}


async def test_what_the_transaction_wrote_is_there_once(mill: VirtualMill, bank: FakeBank) -> None:
    mill.crash(charge, after="effect", attempt=1)
    await mill.submit(charge, Charge(order=7, card="tok_1", cents=1250))

    await mill.run_until_idle()

    assert bank.calls == 2
    assert [effect.parameters for effect in mill.effects] == [{"id": 7}]


async def test_a_worker_that_dies_after_the_commit_costs_nothing(mill: VirtualMill, bank: FakeBank) -> None:
    mill.crash(charge, after="commit")
    job = await mill.submit(charge, Charge(order=7, card="tok_1", cents=1250))

    await mill.advance(timedelta(minutes=1))

    mill.expect(job).succeeded(attempts=1)
    assert (bank.calls, len(mill.effects)) == (1, 1)
