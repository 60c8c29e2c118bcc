"""The decorator that declares handlers."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar, overload

from jobmill.application.codec.payload_schema import PayloadSchema
from jobmill.application.handlers.context import JobContext
from jobmill.application.handlers.job_type import HandlerFault, JobType, Upcaster, place_of
from jobmill.application.handlers.signature import Signature
from jobmill.domain.job_type import DEFAULT_QUEUE, TIMEOUT_DEFAULT, TypeRules
from jobmill.domain.retry_policy import RetryPolicy
from jobmill.domain.states import Priority

P = TypeVar("P")

_DEFAULT_RETRY: Final = RetryPolicy()


class Declaration(Protocol):
    """What turns a function into a ``JobType`` of its payload's class."""

    @overload
    def __call__(self, function: Callable[[P], object], /) -> JobType[P]: ...
    @overload
    def __call__(self, function: Callable[[P, JobContext], object], /) -> JobType[P]: ...


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
        retry: RetryPolicy = _DEFAULT_RETRY,
        ttl: timedelta | None = None,
        timeout: timedelta = TIMEOUT_DEFAULT,
        process: bool = False,
        version: int = 1,
        upcasters: Mapping[int, Upcaster] | None = None,
    ) -> Declaration:
        """Declare the decorated function as the handler of a type.

        Its first parameter is the payload, annotated with an attrs class, a dataclass, a msgspec Struct, a
        TypedDict or a dict; a second one, if there is any, receives the ``JobContext``. An ``async def`` runs
        on the worker's event loop, a ``def`` in a thread.

        Args:
            name: letters, digits, ``_``, ``.`` and ``-``, in any case.
            queue: where jobs of the type wait, unless the job says otherwise.
            priority: among the jobs of that queue.
            retry: the policy after a failed attempt.
            ttl: how long after its due time a job may still start; None for ever.
            timeout: how long one attempt may take, above 0 and up to a day.
            process: run a ``def`` in a process of its own, which is ended at its timeout.
            version: of the payload, 1 or more; raise it when the payload changes so that older ones no longer
                fit, and say by ``upcasters`` what becomes of those that still wait.
            upcasters: for each older version a function that takes such a payload as plain values and returns
                that of the next version.

        Raises:
            HandlerFault: the name is taken here, or the function cannot be a handler.
            InvalidInput: a name or a number is out of its range.
        """
        rules = TypeRules(
            name=name,
            queue=queue,
            priority=priority,
            retry=retry,
            ttl=ttl,
            timeout=timeout,
            payload_version=version,
        )

        def declare(function: Callable[..., Any]) -> JobType[Any]:
            if rules.name in self._types:
                taken = place_of(self._types[rules.name].function)
                raise HandlerFault(
                    f"{place_of(function)}: the type {rules.name!r} is taken by {taken}; rename one"
                )
            signature = Signature.of(function, process=process)
            declared = JobType(
                rules=rules,
                schema=_schema(signature.payload, function),
                function=function,
                takes_context=signature.takes_context,
                kind=signature.kind,
                upcasters=_checked(upcasters or {}, version, function),
            )
            self._types[rules.name] = declared
            return declared

        return declare

    def __iter__(self) -> Iterator[JobType[Any]]:
        """Go through the types in the order of their declaration."""
        return iter(self._types.values())


def _schema(payload: Any, function: Callable[..., object]) -> PayloadSchema[Any]:  # noqa: ANN401
    try:
        return PayloadSchema(payload)
    except (TypeError, NotImplementedError) as error:
        raise HandlerFault(
            f"{place_of(function)}: its payload class cannot be read from JSON: {error}"
        ) from error


def _checked(
    upcasters: Mapping[int, Upcaster], version: int, function: Callable[..., object]
) -> Mapping[int, Upcaster]:
    for at, upcaster in upcasters.items():
        if not 1 <= at < version:
            raise HandlerFault(
                f"{place_of(function)}: there is an upcaster for version {at}, and older than "
                f"version={version} are 1 to {version - 1}; name the version that it takes"
            )
        if not callable(upcaster):
            raise HandlerFault(f"{place_of(function)}: the upcaster for version {at} is no function")
    return dict(upcasters)
