"""Reading a function that shall be a handler: where it runs, what it takes."""

import inspect
from collections.abc import Callable
from typing import Any, Final, get_type_hints

from attrs import frozen

from jobmill.application.handlers.context import JobContext
from jobmill.application.handlers.job_type import HandlerFault, HandlerKind, place_of

_PARAMETERS_MAX: Final = 2


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
        parameters = list(inspect.signature(function).parameters.values())
        positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        if not 1 <= len(positional) <= _PARAMETERS_MAX or len(positional) != len(parameters):
            raise HandlerFault(
                f"{place_of(function)}: a handler takes the payload and, if it likes, the JobContext"
            )
        try:
            hints = get_type_hints(function)
        except NameError as error:
            raise HandlerFault(f"{place_of(function)}: an annotation cannot be read: {error}") from error
        if positional[0].name not in hints:
            asked = f"annotate {positional[0].name!r} with the payload's class, or with dict"
            raise HandlerFault(f"{place_of(function)}: {asked}")
        takes_context = len(positional) == _PARAMETERS_MAX
        if takes_context and hints.get(positional[1].name, JobContext) is not JobContext:
            raise HandlerFault(f"{place_of(function)}: the second parameter is the JobContext")
        return cls(payload=hints[positional[0].name], takes_context=takes_context, kind=kind)


def _kind(function: Callable[..., Any], *, process: bool) -> HandlerKind:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise HandlerFault(f"{place_of(function)}: a handler returns its result, it yields nothing")
    if inspect.iscoroutinefunction(function):
        if process:
            mend = "write 'def', or leave out process=True"
            raise HandlerFault(f"{place_of(function)}: an 'async def' runs on the event loop; {mend}")
        return HandlerKind.LOOP
    if not inspect.isfunction(function):
        raise HandlerFault(f"{function!r}: a handler is a 'def' or 'async def' function")
    if process and function.__qualname__ != function.__name__:
        mend = "move it to the level of its module"
        raise HandlerFault(f"{place_of(function)}: another process has to find it by its name; {mend}")
    return HandlerKind.PROCESS if process else HandlerKind.THREAD
