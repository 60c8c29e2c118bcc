"""The pytest plugin: the fixtures `mill` and `sync_mill`.

It is loaded in every run of pytest where Jobmill is installed, so it imports nothing that a fixture does not
need.
"""

import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import pytest

if TYPE_CHECKING:
    from jobmill.application.handlers import JobHandlers
    from jobmill.testing.sync_mill import SyncVirtualMill
    from jobmill.testing.virtual_loop import VirtualTimeLoop
    from jobmill.testing.virtual_mill import VirtualMill

pytest.register_assert_rewrite("jobmill.testing.contracts")

#: What makes a test run in virtual time.
MILL: Final = "_virtual_mill"
SYNC_MILL: Final = "_virtual_sync_mill"
#: So much of what happened is shown beside a failure, the last of it.
TRACE_LINES_MAX: Final = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of pytest.ini or pyproject.toml."""
    handlers = "modules whose JobHandlers the fixtures `mill` and `sync_mill` know, as in JOBMILL_HANDLERS"
    parser.addini("jobmill_handlers", handlers, type="args", default=[])
    parser.addini(
        "jobmill_seed",
        "decides, with the name of the test, all chance in `mill` and `sync_mill`",
        default="1",
    )


@pytest.fixture
def jobmill_handlers(pytestconfig: pytest.Config) -> "Sequence[JobHandlers]":
    """The handlers that `mill` and `sync_mill` know from the start; a project may override it."""
    names: list[str] = pytestconfig.getini("jobmill_handlers")
    if not names:
        return []
    from jobmill.entrypoints.loading import HandlersNotFound, load_handlers

    try:
        return load_handlers(names)
    except HandlersNotFound as error:
        raise pytest.UsageError(str(error).replace("JOBMILL_HANDLERS", "jobmill_handlers")) from error


@pytest.fixture
def mill(_virtual_mill: "VirtualMill") -> "VirtualMill":
    """A ``VirtualMill`` for an ``async def`` test, which then runs in virtual time."""
    return _virtual_mill


@pytest.fixture
def sync_mill(_virtual_sync_mill: "SyncVirtualMill") -> "SyncVirtualMill":
    """A ``SyncVirtualMill``: the same for tests that are no coroutines."""
    return _virtual_sync_mill


@pytest.fixture
def _virtual_mill(
    request: pytest.FixtureRequest, jobmill_handlers: "Sequence[JobHandlers]"
) -> "Generator[VirtualMill]":
    """What ``mill`` gives, by a name that no project has for a fixture of its own."""
    if not inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        raise pytest.UsageError("the fixture `mill` is for `async def` tests; use `sync_mill` in this one")
    from jobmill.testing.virtual_mill import VirtualMill

    made = VirtualMill(*jobmill_handlers, seed=_seed(request.node))
    yield made
    made.close()


@pytest.fixture
def _virtual_sync_mill(
    request: pytest.FixtureRequest, jobmill_handlers: "Sequence[JobHandlers]"
) -> "Generator[SyncVirtualMill]":
    """What ``sync_mill`` gives."""
    from jobmill.testing.sync_mill import SyncVirtualMill

    made = SyncVirtualMill(*jobmill_handlers, seed=_seed(request.node))
    yield made
    made.close()


# ---- running tests in virtual time


class _VirtualLoops:
    """What pytest-asyncio asks, for a test that uses the mill."""

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_asyncio_loop_factories(
        self, config: pytest.Config, item: pytest.Item
    ) -> "Mapping[str, Callable[[], VirtualTimeLoop]]":
        """Name the loop."""
        from jobmill.testing.virtual_loop import VirtualTimeLoop

        return {"virtual": VirtualTimeLoop}


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None, Any, Any]:
    """Let pytest-asyncio choose the loop for this test; it asks while it parametrizes.

    The answer stands for this one test: for others pytest-asyncio goes on as if nobody answered.
    """
    if MILL not in metafunc.fixturenames:
        return (yield)
    loops = _VirtualLoops()
    plugins = metafunc.config.pluginmanager
    plugins.register(loops)
    try:
        return (yield)
    finally:
        plugins.unregister(loops)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """End the mill when its test has ended, still on the test's loop, and see whether its crashes came."""
    given = getattr(item, "funcargs", {})
    if not isinstance(item, pytest.Function) or given.keys().isdisjoint({MILL, SYNC_MILL}):
        return (yield)
    test = item.obj
    if MILL in given:
        item.obj = _with_an_end(test, given[MILL])
    try:
        answer = yield
    finally:
        item.obj = test
    if SYNC_MILL in given:
        given[SYNC_MILL].mill.check_crashes()
    return answer


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Run the test ourselves where no plugin for asyncio has taken it."""
    test = pyfuncitem.obj
    if MILL in pyfuncitem.funcargs and inspect.iscoroutinefunction(test):
        from jobmill.testing.virtual_loop import virtually

        pyfuncitem.obj = virtually(test)
    try:
        return (yield)
    finally:
        pyfuncitem.obj = test


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show beside a failure what happened in the mill."""
    report = yield
    given = getattr(item, "funcargs", {})
    for name in (MILL, SYNC_MILL):
        if name in given and report.when == "call" and report.failed:
            lines = given[name].trace
            left_out = [f"({len(lines) - TRACE_LINES_MAX} earlier lines)"] * (len(lines) > TRACE_LINES_MAX)
            report.sections.append(
                ("what happened in the mill", "\n".join([*left_out, *lines[-TRACE_LINES_MAX:]]))
            )
    return report


def _with_an_end(test: Callable[..., Awaitable[None]], mill: "VirtualMill") -> Callable[..., Awaitable[None]]:
    if not inspect.iscoroutinefunction(test):
        return test

    @wraps(test)
    async def run(*args: object, **kwargs: object) -> None:
        __tracebackhide__ = True
        async with mill:
            await test(*args, **kwargs)

    return run


def _seed(test: pytest.Item) -> int:
    """Return a test's seed: always the same, and not its neighbours', so that their jobs' ids differ."""
    text: str = test.config.getini("jobmill_seed")
    try:
        return int(text) ^ crc32(test.nodeid.encode())
    except ValueError:
        raise pytest.UsageError(f"jobmill_seed must be a whole number, not {text!r}") from None
