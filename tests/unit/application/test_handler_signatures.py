"""What a function must look like to be a handler: each refusal names the function and the mend."""

import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from attrs import frozen

from jobmill.application.handlers import (
    BatchJob,
    Gathering,
    HandlerFault,
    HandlerKind,
    JobContext,
    JobHandlers,
    JobType,
    Registry,
)
from jobmill.domain.errors import InvalidInput

HERE = __name__


@frozen
class Order:
    number: int


async def on_the_loop(order: Order) -> None: ...
def in_a_thread(order: Order, job: JobContext) -> None: ...
def with_a_dict(payload: dict, job) -> None: ...  # type: ignore[no-untyped-def,type-arg] # noqa: ANN001
async def yields(order: Order) -> AsyncIterator[int]:
    yield 1


def yields_too(order: Order) -> Iterator[int]:
    yield 1


def without_a_word(order) -> None: ...  # type: ignore[no-untyped-def] # noqa: ANN001
def without_parameters() -> None: ...
def with_three(order: Order, job: JobContext, more: int) -> None: ...
def with_another_second(order: Order, job: int) -> None: ...
def with_the_context_first(job: JobContext, order: Order) -> None: ...
def with_a_keyword(order: Order, *, job: JobContext) -> None: ...
def with_many(*orders: Order) -> None: ...
def with_names(order: Order, **more: int) -> None: ...
def with_an_unknown_name(order: "Nowhere") -> None: ...  # type: ignore[name-defined] # noqa: F821
def moved_away(order: Order) -> None: ...


async def takes_many(orders: Sequence[BatchJob[Order]]) -> None: ...
async def takes_a_list(orders: list[BatchJob[Order]]) -> None: ...
def takes_many_in_a_thread(orders: Sequence[BatchJob[Order]]) -> None: ...
async def takes_many_and_more(orders: Sequence[BatchJob[Order]], job: JobContext) -> None: ...
async def takes_bare_payloads(orders: Sequence[Order]) -> None: ...
async def takes_jobs_of_nothing(orders: Sequence[BatchJob]) -> None: ...  # type: ignore[type-arg]


class Shop:
    def sell(self, order: Order) -> None: ...


def declared(function: object, **wishes: Any) -> tuple[JobType[Any], JobHandlers]:
    handlers = JobHandlers()
    return handlers.register("work", **wishes)(function), handlers  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("function", "process", "kind"),
    [
        (on_the_loop, False, HandlerKind.LOOP),
        (in_a_thread, False, HandlerKind.THREAD),
        (in_a_thread, True, HandlerKind.PROCESS),
        (with_a_dict, False, HandlerKind.THREAD),
        (Shop().sell, False, HandlerKind.THREAD),
    ],
)
def test_a_function_says_where_it_runs(
    function: Callable[..., Any], process: bool, kind: HandlerKind
) -> None:
    made, _ = declared(function, process=process)

    assert made.kind is kind


@pytest.mark.parametrize(
    ("function", "place", "mend"),
    [
        (yields, "yields", "a handler yields nothing; write 'return'"),
        (yields_too, "yields_too", "a handler yields nothing; write 'return'"),
        (lambda order: None, "<lambda>", "write 'def'"),
        (Shop.sell, "Shop.sell", "declare a function at the level of its module"),
        (without_a_word, "without_a_word", "annotate 'order' with the payload's class, or with dict"),
        (without_parameters, "without_parameters", r"has 0 parameters; write '\(payload: Payload\)'"),
        (with_three, "with_three", "has 3 parameters; write"),
        (with_another_second, "with_another_second", "annotate 'job' with JobContext, or leave it out"),
        (with_the_context_first, "with_the_context_first", "put the payload first"),
        (with_a_keyword, "with_a_keyword", "nobody would fill 'job: .*JobContext'; write"),
        (with_many, "with_many", r"nobody would fill '\*orders: .*'; write"),
        (with_names, "with_names", r"nobody would fill '\*\*more: int'; write"),
        (with_an_unknown_name, "with_an_unknown_name", "'Nowhere' is not defined; import the name"),
    ],
)
def test_a_function_that_cannot_be_a_handler_is_refused(
    function: Callable[..., Any], place: str, mend: str
) -> None:
    with pytest.raises(HandlerFault, match=rf"^{HERE}.*{place}: .*{mend}"):
        declared(function)


@pytest.mark.parametrize("thing", [Shop, Shop(), 3, print, None])
def test_what_is_no_function_is_no_handler(thing: object) -> None:
    with pytest.raises(HandlerFault, match="a handler is a function; write 'def' or 'async def'"):
        declared(thing)


def test_a_declared_type_is_not_declared_again() -> None:
    made, _ = declared(in_a_thread)

    with pytest.raises(HandlerFault, match=r"in_a_thread: it is the type 'work' already; .*\.function"):
        declared(made)


def test_an_async_function_needs_no_process() -> None:
    with pytest.raises(HandlerFault, match=r"on_the_loop: .*write 'def', or leave out process=True"):
        declared(on_the_loop, process=True)


def test_another_process_finds_no_nested_function() -> None:
    def nested(order: Order) -> None: ...

    with pytest.raises(HandlerFault, match=r"nested: .*move it to the level of its module"):
        declared(nested, process=True)


def test_another_process_finds_no_method() -> None:
    with pytest.raises(HandlerFault, match=r"Shop\.sell: .*move it to the level of its module"):
        declared(Shop().sell, process=True)


def test_another_process_cannot_import_the_main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_a_thread, "__module__", "__main__")

    with pytest.raises(HandlerFault, match=r"__main__\.in_a_thread: .*move it to a module that can be imp"):
        declared(in_a_thread, process=True)


def test_another_process_finds_what_stands_in_its_module_under_its_name() -> None:
    made, handlers = declared(in_a_thread, process=True)

    assert Registry([handlers]).types == (made,)


def test_another_process_finds_nothing_where_another_thing_has_the_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, handlers = declared(moved_away, process=True)
    monkeypatch.setitem(globals(), "moved_away", in_a_thread)

    with pytest.raises(
        HandlerFault, match=r"moved_away: another process would not find it.*; let 'moved_away'"
    ):
        Registry([handlers])


@pytest.mark.parametrize("function", [takes_many, takes_a_list])
def test_a_batch_handler_takes_a_sequence_of_jobs(function: Callable[..., Any]) -> None:
    declared = JobHandlers().register_batch("work", jobs_max=7)(function)

    assert declared.gathering == Gathering(jobs_max=7, wait=timedelta(milliseconds=50))
    assert declared.decode('{"number":4}', version=1) == Order(4)


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (takes_many_in_a_thread, "it would run in a thread; write 'async def' with"),
        (takes_many_and_more, "each job is a JobContext itself; write"),
        (takes_bare_payloads, "'orders' are no jobs; write 'async def' with"),
        (takes_jobs_of_nothing, "'orders' are no jobs; write"),
        (on_the_loop, "'order' are no jobs; write"),
    ],
)
def test_what_cannot_be_a_batch_handler_is_refused(function: Callable[..., Any], fault: str) -> None:
    with pytest.raises(HandlerFault, match=f"{HERE}.{function.__name__}: .*{re.escape(fault)}"):
        JobHandlers().register_batch("work")(function)


def test_a_batch_handler_cannot_have_a_name_that_is_taken() -> None:
    handlers = JobHandlers()
    handlers.register("work")(on_the_loop)

    with pytest.raises(HandlerFault, match=r"is taken by .*on_the_loop; rename one"):
        handlers.register_batch("Work")(takes_many)


@pytest.mark.parametrize(
    ("wishes", "pointer"),
    [
        ({"jobs_max": 0}, "/jobs_max"),
        ({"jobs_max": 1_001}, "/jobs_max"),
        ({"jobs_max": 1.5}, "/jobs_max"),
        ({"jobs_max": True}, "/jobs_max"),
        ({"wait": timedelta(seconds=-1)}, "/wait"),
        ({"wait": timedelta(seconds=10.1)}, "/wait"),
        ({"wait": 5}, "/wait"),
    ],
)
def test_a_number_that_is_out_of_its_range_is_named(wishes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput, match=pointer):
        JobHandlers().register_batch("work", **wishes)
