"""The job types of a virtual mill: given at its start, or learned from whoever names one."""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from attrs import evolve

from jobmill.application.handlers import HandlerKind, JobType, Registry


class KnownTypes(Registry):
    """A registry whose handlers all run on the event loop, one step at a time, so that runs repeat.

    A ``def`` handler runs there in one go, whether it were to run in a thread or in a process.
    """

    def find(self, name: str) -> JobType[Any] | None:
        """See ``Registry``."""
        found = super().find(name)
        return None if found is None else _on_the_loop(found)


def _on_the_loop(declared: JobType[Any]) -> JobType[Any]:
    if iscoroutinefunction(declared.function):
        return declared
    return evolve(declared, function=_at_once(declared.function), kind=HandlerKind.LOOP)


def _at_once(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def run(*args: object) -> Any:  # noqa: ANN401 - whatever the handler returns
        return function(*args)

    return run
