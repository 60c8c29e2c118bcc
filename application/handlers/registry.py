"""All types of job that one process knows."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

from jobmill.application.errors import UnknownType
from jobmill.application.handlers.declaring import JobHandlers
from jobmill.application.handlers.job_type import HandlerFault, HandlerKind, JobType, place_of
from jobmill.application.handlers.log_fields import told_fields
from jobmill.application.type_board import ForeignType, TypeBoard
from jobmill.domain.job import Job
from jobmill.domain.job_type import DEFAULT_QUEUE
from jobmill.domain.retry_policy import RetryPolicy

_DEFAULT_POLICY: Final = RetryPolicy()
_NOTHING: Final[Mapping[str, object]] = {}


class Registry:
    """All types that a process has the code of, and on its ``board`` those that it has only heard of."""

    def __init__(self, collections: Iterable[JobHandlers]) -> None:
        """Join collections.

        Raises:
            HandlerFault: two of them declare the same name, or another process would not find a function.
        """
        types: dict[str, JobType[Any]] = {}
        for declared in (one for collection in collections for one in collection):
            if declared.name in types:
                raise _declared_twice(types[declared.name], declared)
            _check_place(declared)
            types[declared.name] = declared
        self._types = types
        self._queues: tuple[object, tuple[str, ...]] = (None, ())  # as known queues were last put together
        self.board = TypeBoard()

    def learn(self, declared: JobType[Any]) -> None:
        """Get to know one more type, from code that has it; again is harmless.

        Raises:
            HandlerFault: another one has its name.
        """
        known = self._types.setdefault(declared.name, declared)
        if known is not declared:
            raise _declared_twice(known, declared)

    @property
    def types(self) -> tuple[JobType[Any], ...]:
        """The types by name."""
        return tuple(self._types[name] for name in sorted(self._types))

    @property
    def queues(self) -> tuple[str, ...]:
        """Every queue that a type declares, and the default one."""
        return tuple(sorted({DEFAULT_QUEUE, *(declared.rules.queue for declared in self.types)}))

    @property
    def known(self) -> tuple[JobType[Any] | ForeignType, ...]:
        """The types by name, and those that only other processes have the code of."""
        foreign = {each.name: each for each in self.board.types if each.name not in self._types}
        every: dict[str, JobType[Any] | ForeignType] = {**self._types, **foreign}
        return tuple(every[name] for name in sorted(every))

    @property
    def known_queues(self) -> tuple[str, ...]:
        """Every queue that a known type declares, and the default one."""
        sources = (self.board.edition, len(self._types))
        if self._queues[0] != sources:
            self._queues = (
                sources,
                tuple(sorted({DEFAULT_QUEUE, *(each.rules.queue for each in self.known)})),
            )
        return self._queues[1]

    def find_known(self, name: str) -> JobType[Any] | ForeignType | None:
        """Return a type by its name, in any case: our own, else one that another process has declared."""
        return self.find(name) or self.board.find(name)

    def known_as(self, name: str) -> JobType[Any] | ForeignType:
        """Return the like; raises ``UnknownType``."""
        found = self.find_known(name)
        if found is None:
            raise UnknownType(name, tuple(each.name for each in self.known))
        return found

    def find(self, name: str) -> JobType[Any] | None:
        """Return a type by its name, in any case; None if it is not known here."""
        return self._types.get(name) or self._types.get(name.lower())

    def named(self, name: str) -> JobType[Any]:
        """Return a type by its name; raises ``UnknownType``."""
        found = self.find(name)
        if found is None:
            raise UnknownType(name, tuple(sorted(self._types)))
        return found

    def policy_of(self, name: str) -> RetryPolicy:
        """Return a type's retry policy; the default one for a type that is not known here."""
        found = self.find(name)
        return found.rules.retry if found else _DEFAULT_POLICY

    def told_of(self, job: Job) -> Mapping[str, object]:
        """Return the fields of a job's payload that its type wants in the log; most want none."""
        known = self.find_known(job.type)
        names = known.rules.log_fields if known else ()
        return told_fields(job.payload, names) if names else _NOTHING


def _declared_twice(first: JobType[Any], second: JobType[Any]) -> HandlerFault:
    one, two = place_of(first.function), place_of(second.function)
    return HandlerFault(f"the type {second.name!r} is declared by {one} and {two}; rename one")


def _check_place(declared: JobType[Any]) -> None:
    """Look for it where another process will: in its module, by its name."""
    function = declared.function
    if declared.kind is not HandlerKind.PROCESS:
        return
    found = getattr(sys.modules.get(function.__module__), function.__qualname__, None)
    if found is not declared and found is not function:
        mend = f"let {function.__qualname__!r} stand for it and for nothing else in its module"
        raise HandlerFault(f"{place_of(function)}: another process would not find it by its name; {mend}")
