"""Reading a function that shall be a handler: where it runs, what it takes."""

import inspect
from collections.abc import Callable, Sequence
from inspect import Parameter
from typing import Any, Final, get_args, get_origin, get_type_hints

from attrs import frozen

from jobmill.application.handlers.batch_job import BatchJob
from jobmill.application.handlers.context import JobContext
from jobmill.application.handlers.job_type import HandlerFault, HandlerKind, JobType, place_of

TAKES: Final = "'(payload: Payload)' or '(payload: Payload, job: JobContext)'"
TAKES_MANY: Final = "'async def' with '(jobs: Sequence[BatchJob[Payload]])'"
_PARAMETERS_MAX: Final = 2
_LAMBDA: Final = (lambda: None).__name__


@frozen(kw_only=True)
class Signature:
    """What a handler's own declaration says.

    Args:
        payload: the class of its first parameter.
    """

    payload: Any
    takes_context: bool
    kind: HandlerKind

    @classmethod
    def of(cls, function: Callable[..., Any], *, process: bool) -> "Signature":
        """Read a function; raises ``HandlerFault`` with its name and the mend."""
        kind = _kind(function, process=process)
        payload, context = _parameters(function)
        hints = _annotations(function)
        if payload.name not in hints:
            mend = f"annotate {payload.name!r} with the payload's class, or with dict"
            raise HandlerFault(f"{place_of(function)}: what its payload looks like is not said; {mend}")
        if hints[payload.name] is JobContext:
            mend = "put the payload first, annotated with its class or with dict"
            raise HandlerFault(f"{place_of(function)}: its first parameter is the JobContext; {mend}")
        if context is not None and hints.get(context.name, JobContext) is not JobContext:
            mend = f"annotate {context.name!r} with JobContext, or leave it out"
            raise HandlerFault(f"{place_of(function)}: its second parameter would be the JobContext; {mend}")
        return cls(payload=hints[payload.name], takes_context=context is not None, kind=kind)

    @classmethod
    def of_batch(cls, function: Callable[..., Any]) -> "Signature":
        """Read a function that takes many jobs; raises ``HandlerFault`` with its name and the mend."""
        kind = _kind(function, process=False)
        if kind is not HandlerKind.LOOP:
            raise HandlerFault(f"{place_of(function)}: it would run in a thread; write {TAKES_MANY}")
        jobs, more = _parameters(function)
        if more is not None:
            mend = f"each job is a JobContext itself; write {TAKES_MANY}"
            raise HandlerFault(f"{place_of(function)}: it has 2 parameters; {mend}")
        hint = _annotations(function).get(jobs.name)
        [item] = get_args(hint) if get_origin(hint) in (list, Sequence) else [None]
        if get_origin(item) is not BatchJob:
            raise HandlerFault(f"{place_of(function)}: {jobs.name!r} are no jobs; write {TAKES_MANY}")
        return cls(payload=get_args(item)[0], takes_context=False, kind=kind)


def _parameters(function: Callable[..., Any]) -> tuple[Parameter, Parameter | None]:
    """Return the parameters for the payload and for the context, if there is one."""
    parameters = list(inspect.signature(function).parameters.values())
    if parameters and parameters[0].name in {"self", "cls"}:
        mend = "declare a function at the level of its module, or a method of an object that is there"
        raise HandlerFault(f"{place_of(function)}: a method of a class has no object to run on; {mend}")
    for each in parameters:
        if each.kind not in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD):
            mend = f"write {TAKES}"
            raise HandlerFault(f"{place_of(function)}: nobody would fill {str(each)!r}; {mend}")
    if not 1 <= len(parameters) <= _PARAMETERS_MAX:
        raise HandlerFault(f"{place_of(function)}: it has {len(parameters)} parameters; write {TAKES}")
    return parameters[0], parameters[1] if len(parameters) == _PARAMETERS_MAX else None


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except NameError as error:
        mend = "import the name at the level of the module, and not for the type checker alone"
        raise HandlerFault(f"{place_of(function)}: an annotation cannot be read: {error}; {mend}") from error


def _kind(function: Callable[..., Any], *, process: bool) -> HandlerKind:
    _must_be_a_function(function)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise HandlerFault(f"{place_of(function)}: a handler yields nothing; write 'return'")
    if function.__name__ == _LAMBDA:
        raise HandlerFault(f"{place_of(function)}: a lambda says nothing of its payload; write 'def'")
    if inspect.iscoroutinefunction(function):
        if process:
            mend = "write 'def', or leave out process=True"
            raise HandlerFault(f"{place_of(function)}: an 'async def' runs on the event loop; {mend}")
        return HandlerKind.LOOP
    if process:
        _must_be_found_by_name(function)
        return HandlerKind.PROCESS
    return HandlerKind.THREAD


def _must_be_a_function(thing: object) -> None:
    if isinstance(thing, JobType):
        mend = "register the function itself: its .function"
        raise HandlerFault(f"{place_of(thing.function)}: it is the type {thing.name!r} already; {mend}")
    if not (inspect.isfunction(thing) or inspect.ismethod(thing)):
        raise HandlerFault(f"{thing!r}: a handler is a function; write 'def' or 'async def'")


def _must_be_found_by_name(function: Callable[..., Any]) -> None:
    """Another process imports the module and takes the function from it."""
    if function.__module__ == "__main__":
        mend = "move it to a module that can be imported"
        raise HandlerFault(f"{place_of(function)}: another process cannot import '__main__'; {mend}")
    if function.__qualname__ != function.__name__ or inspect.ismethod(function):
        mend = "move it to the level of its module"
        raise HandlerFault(f"{place_of(function)}: another process has to find it by its name; {mend}")
