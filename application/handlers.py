"""The user's half: functions that run jobs, and how they are declared."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar, get_type_hints
from uuid import UUID

from attrs import field, frozen

from jobmill.application.codec.payload_schema import PayloadSchema
from jobmill.application.errors import UnknownType
from jobmill.domain.errors import Fault, InvalidInput, JobmillError
from jobmill.domain.job_type import DEFAULT_QUEUE, TIMEOUT_DEFAULT, TypeRules
from jobmill.domain.retry_policy import CAP_MAX, RetryPolicy
from jobmill.domain.states import Priority

P = TypeVar("P")


class HandlerFault(JobmillError):
    """A handler is declared in a way that cannot work; the message names it and the mend."""

    code = "handler-fault"


class PermanentFailure(Exception):
    """Raised by a handler: no further attempt can help."""


class TransientFailure(Exception):
    """Raised by a shipped handler whose message says it all: retried like any other error."""


class RetryAfter(Exception):
    """Raised by a handler: try again after a time of its own choosing.

    Args:
        when: 0 to 30 days.
        reason: for people.
        counts: whether this attempt counts; if not, it is given back, at most 100 times.

    Raises:
        InvalidInput: ``when`` is out of its range.
    """

    def __init__(self, when: timedelta, reason: str, *, counts: bool = True) -> None:
        if not timedelta(0) <= when <= CAP_MAX:
            raise InvalidInput(Fault(pointer="/when", detail=f"must be from 0 to {CAP_MAX}"))
        self.when = when
        self.reason = reason
        self.counts = counts
        super().__init__(reason)


@frozen(kw_only=True)
class JobContext:
    """What a handler may know of the attempt it runs.

    Args:
        attempt: 1 for the first.
        idempotency_key: give it to providers: one per job, another once its payload was edited.
        deadline: when the attempt is stopped, in UTC.
        log: carries the job's id, type and attempt.
    """

    job_id: UUID
    type: str
    attempt: int
    max_attempts: int
    idempotency_key: str
    correlation_id: str | None
    deadline: datetime
    log: "logging.LoggerAdapter[logging.Logger]"
    _is_cancelled: Callable[[], bool] = field(alias="is_cancelled")
    _transact: Callable[[], AbstractAsyncContextManager[Any]] = field(alias="transact")

    @property
    def cancelled(self) -> bool:
        """Somebody wants the job to stop; the handler is being cancelled."""
        return self._is_cancelled()

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """Open a transaction on Jobmill's database, in which the job succeeds: all of it or nothing.

        The block receives a SQLAlchemy ``AsyncConnection``. Leaving it cleanly commits what was written
        with it, and the job's success with a null result, in one step. After that the job is over: what the
        handler still returns or raises is noted and changes nothing. Leaving it by an exception rolls back,
        and the attempt goes on or fails as it would anyway. At most one per attempt.

        On SQLite nobody else can write meanwhile, so there the block may last 3 seconds.

        Raises:
            LeaseLost: on leaving: another attempt has the job; all is rolled back.
            TransactionFault: it was used in a way that cannot work; all is rolled back.
            Unavailable: the database cannot be reached; all is rolled back, and the attempt will be retried.
        """
        return self._transact()


@frozen(kw_only=True, eq=False)
class JobType(Generic[P]):
    """A declared type of job: its rules, its payload class, and the function that runs it."""

    rules: TypeRules
    schema: PayloadSchema[P]
    function: Callable[..., Awaitable[object]]
    takes_context: bool

    @property
    def name(self) -> str:
        """The type's name in small letters."""
        return self.rules.name

    async def run(self, payload: P, context: JobContext) -> object:
        """Run the function with what it asks for."""
        if self.takes_context:
            return await self.function(payload, context)
        return await self.function(payload)


class JobHandlers:
    """A collection of job types, filled by its decorator."""

    def __init__(self) -> None:
        self._types: dict[str, JobType[Any]] = {}

    def register(
        self,
        name: str,
        *,
        queue: str = DEFAULT_QUEUE,
        priority: Priority = Priority.NORMAL,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - a frozen value
        ttl: timedelta | None = None,
        timeout: timedelta = TIMEOUT_DEFAULT,
    ) -> Callable[[Callable[..., Awaitable[object]]], JobType[Any]]:
        """Declare the decorated ``async def`` as the handler of a type.

        Its first parameter is the payload, annotated with an attrs class, a dataclass or a dict; a second
        one, if there is any, receives the ``JobContext``.

        Raises:
            HandlerFault: the name is taken here, or the function cannot be a handler.
            InvalidInput: a name or a number is out of its range.
        """
        rules = TypeRules(name=name, queue=queue, priority=priority, retry=retry, ttl=ttl, timeout=timeout)

        def declare(function: Callable[..., Awaitable[object]]) -> JobType[Any]:
            if rules.name in self._types:
                taken = _place(self._types[rules.name].function)
                raise HandlerFault(
                    f"{_place(function)}: the type {rules.name!r} is taken by {taken}; rename one"
                )
            payload, takes_context = _signature(function)
            declared = JobType(
                rules=rules, schema=_schema(payload, function), function=function, takes_context=takes_context
            )
            self._types[rules.name] = declared
            return declared

        return declare

    def __iter__(self) -> Iterator[JobType[Any]]:
        """Go through the types in the order of their declaration."""
        return iter(self._types.values())


class Registry:
    """All types that a process knows."""

    def __init__(self, collections: Iterable[JobHandlers]) -> None:
        """Join collections.

        Raises:
            HandlerFault: two of them declare the same name.
        """
        types: dict[str, JobType[Any]] = {}
        for declared in (one for collection in collections for one in collection):
            if declared.name in types:
                one, two = _place(types[declared.name].function), _place(declared.function)
                raise HandlerFault(f"the type {declared.name!r} is declared by {one} and {two}; rename one")
            types[declared.name] = declared
        self._types: Mapping[str, JobType[Any]] = types

    @property
    def types(self) -> tuple[JobType[Any], ...]:
        """The types by name."""
        return tuple(self._types[name] for name in sorted(self._types))

    @property
    def queues(self) -> tuple[str, ...]:
        """Every queue that a type declares, and the default one."""
        return tuple(sorted({DEFAULT_QUEUE, *(declared.rules.queue for declared in self.types)}))

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


_DEFAULT_POLICY: Final = RetryPolicy()
_PARAMETERS_MAX: Final = 2


def _place(function: Callable[..., object]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _signature(function: Callable[..., object]) -> tuple[Any, bool]:
    """Return the payload class and whether the function wants the context."""
    if not inspect.iscoroutinefunction(function):
        raise HandlerFault(f"{_place(function)}: a handler is an 'async def' function")
    parameters = list(inspect.signature(function).parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if not 1 <= len(positional) <= _PARAMETERS_MAX or len(positional) != len(parameters):
        raise HandlerFault(
            f"{_place(function)}: a handler takes the payload and, if it likes, the JobContext"
        )
    try:
        hints = get_type_hints(function)
    except NameError as error:
        raise HandlerFault(f"{_place(function)}: an annotation cannot be read: {error}") from error
    if positional[0].name not in hints:
        asked = f"annotate {positional[0].name!r} with the payload's class, or with dict"
        raise HandlerFault(f"{_place(function)}: {asked}")
    if len(positional) == _PARAMETERS_MAX and hints.get(positional[1].name, JobContext) is not JobContext:
        raise HandlerFault(f"{_place(function)}: the second parameter is the JobContext")
    return hints[positional[0].name], len(positional) == _PARAMETERS_MAX


def _schema(payload: Any, function: Callable[..., object]) -> PayloadSchema[Any]:  # noqa: ANN401
    try:
        return PayloadSchema(payload)
    except (TypeError, NotImplementedError) as error:
        raise HandlerFault(
            f"{_place(function)}: its payload class cannot be read from JSON: {error}"
        ) from error
