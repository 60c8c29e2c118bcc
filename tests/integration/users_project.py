"""The project of somebody who has installed the wheel: a shop that charges cards, and tests of it."""

import os
import subprocess
from pathlib import Path

from attrs import frozen

BANK = '''
class FakeBank:
    """Charges again whenever it is asked, unless it has seen the key before."""

    def __init__(self):
        self.charges = []
        self._seen = set()

    async def charge(self, card, cents, key=None):
        if key is None or key not in self._seen:
            self.charges.append(cents)
            self._seen.add(key)


bank = FakeBank()
'''

JOBS = """
from attrs import frozen
from jobmill import JobContext, JobHandlers
from shop.bank import bank

handlers = JobHandlers()


@frozen
class Charge:
    order: int
    card: str
    cents: int


@handlers.register("order.charge", queue="payments")
async def charge(order: Charge, job: JobContext) -> None:
    await bank.charge({arguments})
"""
TWICE = "order.card, order.cents"
ONCE = "order.card, order.cents, key=job.idempotency_key"

TESTS = """
import asyncio
from datetime import timedelta

import pytest
from jobmill.testing import SyncVirtualMill, VirtualMill
from shop.bank import bank as the_bank
from shop.jobs import Charge, charge

{marks}


@pytest.fixture
def bank():
    the_bank.charges.clear()
    return the_bank


async def test_a_worker_that_dies_charges_once(mill: VirtualMill, bank) -> None:
    mill.crash(charge, after="effect", attempt=1)
    job = await mill.submit(charge, Charge(order=7, card="tok_1", cents=1250))

    await mill.advance(timedelta(minutes=1))

    assert (await mill.job(job.id)).attempts == 2
    assert bank.charges == [1250]


async def test_a_notice_that_comes_twice_charges_once(mill: VirtualMill, bank) -> None:
    mill.deliver_twice(charge)
    job = await mill.submit("order.charge", {{"order": 7, "card": "tok_1", "cents": 1250}})

    await mill.run_until_idle()

    mill.expect(job).succeeded(attempts=1)
    assert bank.charges == [1250]
"""

SYNC_TESTS = """

def test_a_worker_that_dies_charges_once_seen_without_asyncio(sync_mill: SyncVirtualMill, bank) -> None:
    sync_mill.crash(charge, after="effect")
    job = sync_mill.submit(charge, Charge(order=7, card="tok_1", cents=1250))

    sync_mill.run_until_idle()

    sync_mill.expect(job).succeeded(attempts=2)
    assert bank.charges == [1250]
"""

ASYNC_FIXTURE = """
import pytest_asyncio


@pytest_asyncio.fixture
async def paid(mill: VirtualMill, bank):
    return await mill.wait(await mill.submit(charge, Charge(order=1, card="tok_1", cents=10)))


async def test_an_asynchronous_fixture_shares_the_loop(mill: VirtualMill, paid) -> None:
    mill.expect(paid).succeeded()


async def test_without_the_mill_time_is_real() -> None:
    assert "Virtual" not in type(asyncio.get_running_loop()).__name__
"""

WHERE_HANDLERS_ARE = "jobmill_handlers = shop.jobs\n"
#: They come with this interpreter's packages, and nothing here is about them.
OTHERS = tuple(
    word
    for plugin in ("cacheprovider", "xdist", "faker", "schemathesis", "hypothesispytest")
    for word in ("-p", f"no:{plugin}")
)


@frozen
class Project:
    """A user's project in a folder of its own."""

    python: Path
    place: Path

    def write(self, arguments: str, *, tests: str, marks: str = "", ini: str = WHERE_HANDLERS_ARE) -> None:
        """Write the shop with its way to charge, and its tests."""
        (self.place / "shop").mkdir()
        (self.place / "shop" / "__init__.py").touch()
        (self.place / "shop" / "bank.py").write_text(BANK)
        (self.place / "shop" / "jobs.py").write_text(JOBS.format(arguments=arguments))
        (self.place / "test_charging.py").write_text(
            tests.replace("{marks}", marks).replace("{{", "{").replace("}}", "}")
        )
        (self.place / "pytest.ini").write_text(f"[pytest]\nfilterwarnings = error\n{ini}")

    def tested(self, *options: str) -> tuple[int, str]:
        """Run its tests; return pytest's exit code and what it said."""
        command = [str(self.python), "-m", "pytest", *OTHERS, *options]
        kept = {
            name: text for name, text in os.environ.items() if not name.startswith(("JOBMILL_", "PYTEST_"))
        }
        done = subprocess.run(
            command, cwd=self.place, check=False, capture_output=True, text=True, timeout=50, env=kept
        )
        return done.returncode, done.stdout + done.stderr
