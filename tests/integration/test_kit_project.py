"""A user's project, with the wheel installed: its tests find a double charge, whatever runs them."""

from pathlib import Path

import pytest

from tests.integration.users_project import (
    ASYNC_FIXTURE,
    ONCE,
    SYNC_TESTS,
    TESTS,
    TWICE,
    WHERE_HANDLERS_ARE,
    Project,
)


@pytest.fixture
def project(python: Path, tmp_path: Path) -> Project:
    """A project of somebody who has installed the wheel."""
    return Project(python, tmp_path)


WITHOUT_PLUGINS = ("-p", "no:asyncio", "-p", "no:anyio")


def test_the_planted_double_charge_is_found(project: Project) -> None:
    project.write(TWICE, tests=TESTS + SYNC_TESTS)

    code, said = project.tested(*WITHOUT_PLUGINS)

    assert code == 1, said
    assert "2 failed, 1 passed" in said
    assert "FAILED test_charging.py::test_a_worker_that_dies_charges_once " in said
    assert "assert [1250, 1250] == [1250]" in said
    assert "what happened in the mill" in said
    assert "dies by crash('order.charge', after='effect', attempt=1)" in said


def test_the_mended_handler_passes(project: Project) -> None:
    project.write(ONCE, tests=TESTS + SYNC_TESTS)

    code, said = project.tested(*WITHOUT_PLUGINS)

    assert code == 0, said
    assert "3 passed" in said


@pytest.mark.parametrize(
    ("ini", "marks", "options", "tests", "passed"),
    [
        ("asyncio_mode = auto\n", "", (), TESTS + SYNC_TESTS + ASYNC_FIXTURE, 5),
        ("", "pytestmark = pytest.mark.asyncio", (), TESTS + ASYNC_FIXTURE, 4),
        ("asyncio_mode = strict\n", "", (), TESTS + SYNC_TESTS, 3),
        ("", "", ("-p", "no:asyncio"), TESTS + SYNC_TESTS, 3),
        ("", "pytestmark = pytest.mark.anyio", ("-p", "no:asyncio"), TESTS, 2),
    ],
    ids=["asyncio-auto", "asyncio-strict", "asyncio-unmarked", "anyio", "anyio-marked"],
)
def test_whatever_runs_coroutines_the_mills_time_is_virtual(
    project: Project, ini: str, marks: str, options: tuple[str, ...], tests: str, passed: int
) -> None:
    loops = "asyncio_default_fixture_loop_scope = function\n" if "no:asyncio" not in options else ""
    project.write(ONCE, tests=tests, marks=marks, ini=WHERE_HANDLERS_ARE + loops + ini)

    code, said = project.tested(*options)

    assert code == 0, said
    assert f"{passed} passed" in said


OF_ITS_OWN = """
import pytest


@pytest.fixture
def mill():
    return "a mill for coffee"


async def test_that_has_a_mill_of_its_own(mill):
    assert mill == "a mill for coffee"


class TestOurs:
    @pytest.fixture
    def mill(self, _virtual_mill):
        _virtual_mill.deliver_twice()
        return _virtual_mill

    async def test_in_a_class(self, mill):
        job = await mill.submit("order.charge", {"order": 7, "card": "tok_1", "cents": 1250})
        await mill.run_until_idle()
        mill.expect(job).succeeded()
        assert any("twice" in line for line in mill.trace)
"""


def test_a_projects_own_fixture_of_that_name_is_left_alone(project: Project) -> None:
    loops = "asyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    project.write(ONCE, tests=OF_ITS_OWN, ini=WHERE_HANDLERS_ARE + loops)

    code, said = project.tested()

    assert code == 0, said
    assert "2 passed" in said


MISUSES = """
def test_that_is_no_coroutine(mill):
    pass


async def test_that_plans_what_does_not_happen(mill):
    mill.crash("order.charge", after="commit")


def test_that_plans_it_too(sync_mill):
    sync_mill.crash("order.charge", after="claim")
"""


def test_misuses_are_named_with_their_mend(project: Project) -> None:
    project.write(ONCE, tests=MISUSES)

    code, said = project.tested(*WITHOUT_PLUGINS)

    assert code == 1, said
    assert "2 failed, 1 error" in said
    assert "is for `async def` tests; use `sync_mill`" in said
    assert "no job came to crash('order.charge', after='commit', attempt=1)" in said
    assert "no job came to crash('order.charge', after='claim', attempt=1)" in said


@pytest.mark.parametrize(
    ("ini", "words"),
    [
        ("jobmill_handlers = shop.nowhere\n", "jobmill_handlers: no module 'shop.nowhere'"),
        (WHERE_HANDLERS_ARE + "jobmill_seed = lucky\n", "jobmill_seed must be a whole number, not 'lucky'"),
    ],
)
def test_a_wrong_option_is_named(project: Project, ini: str, words: str) -> None:
    project.write(ONCE, tests=SYNC_TESTS.replace("sync_mill: SyncVirtualMill", "sync_mill"), ini=ini)

    code, said = project.tested(*WITHOUT_PLUGINS)

    assert code == 1, said
    assert words in said


AUTO = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"

ADAPTER = """
from contextlib import asynccontextmanager
from jobmill.adapters.memory import MemoryBus
from jobmill.application.ports.message_bus import PublishOutcome
from jobmill.testing.contracts.bus_world import FAIR, QUEUES


class ForgetfulBus(MemoryBus):
    async def publish(self, parcels):
        return [PublishOutcome.CONFIRMED for _ in parcels]


@asynccontextmanager
async def opened():
    bus = {adapter}(queues=QUEUES, fair=FAIR)
    yield bus
    bus.close()
"""

ADAPTER_CONFTEST = """
import pytest
from adapter import opened
from jobmill.testing.contracts.fixtures import bus, mail


@pytest.fixture
def bus_opener():
    return opened
"""


@pytest.mark.parametrize(("adapter", "code"), [("MemoryBus", 0), ("ForgetfulBus", 1)])
def test_somebody_elses_adapter_is_held_to_the_contract(project: Project, adapter: str, code: int) -> None:
    (project.place / "adapter.py").write_text(ADAPTER.format(adapter=adapter))
    (project.place / "conftest.py").write_text(ADAPTER_CONFTEST)
    (project.place / "test_adapter.py").write_text("from jobmill.testing.contracts.message_bus import *\n")
    (project.place / "pytest.ini").write_text(AUTO)
    # Most of the suite would wait long for what such a bus has forgotten.
    at_once = ("-k", "the_answer_to_each_parcel_stands_at_its_position") if code else ()

    ended, said = project.tested(*at_once)

    assert ended == code, said
    assert "FAILED test_adapter.py::test_the_answer_to_each_parcel" in said if code else "failed" not in said
