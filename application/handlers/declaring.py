"""The decorator that declares handlers."""

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar, overload

from attrs import evolve

from jobmill.application.codec.payload_schema import PayloadSchema
from jobmill.application.handlers.batch_job import BatchJob
from jobmill.application.handlers.context import JobContext
from jobmill.application.handlers.gathering import Gathering
from jobmill.application.handlers.job_type import HandlerFault, JobType, Upcaster, place_of
from jobmill.application.handlers.log_fields import checked_log_fields
from jobmill.application.handlers.signature import Signature
from jobmill.application.ports.guard import Outlook
from jobmill.domain.job_type import DEFAULT_QUEUE, TIMEOUT_DEFAULT, TypeRules
from jobmill.domain.retry_policy import RetryPolicy
from jobmill.domain.states import Priority

P = TypeVar("P")

_DEFAULT_RETRY: Final = RetryPolicy()
_WAIT_DEFAULT: Final = timedelta(milliseconds=50)


class Declaration(Protocol):
    """What turns a function into a ``JobType`` of its payload's class."""

    @overload
    def __call__(self, function: Callable[[P], object], /) -> JobType[P]: ...
    @overload
    def __call__(self, function: Callable[[P, JobContext], object], /) -> JobType[P]: ...


class BatchDeclaration(Protocol):
    """The like for a function that takes many jobs."""

    def __call__(
        self, function: Callable[[list[BatchJob[P]]], Coroutine[Any, Any, None]], /
    ) -> JobType[P]: ...


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
        log_fields: Sequence[str] = (),
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
            log_fields: of the payload, to stand in every line that is logged of a job, cut at 100 characters;
                up to 10 names of single values. Nothing else of a payload is ever logged.

        Raises:
            HandlerFault: the name is taken here, a field cannot be logged, or the function is no handler.
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
            self._check_name(rules.name, function)
            return self._add(rules, function, Signature.of(function, process=process), upcasters, log_fields)

        return declare

    def register_batch(
        self,
        name: str,
        *,
        jobs_max: int = 100,
        wait: timedelta = _WAIT_DEFAULT,
        queue: str = DEFAULT_QUEUE,
        priority: Priority = Priority.NORMAL,
        retry: RetryPolicy = _DEFAULT_RETRY,
        ttl: timedelta | None = None,
        timeout: timedelta = TIMEOUT_DEFAULT,
        version: int = 1,
        upcasters: Mapping[int, Upcaster] | None = None,
        log_fields: Sequence[str] = (),
    ) -> BatchDeclaration:
        """Declare the decorated ``async def`` as the handler of a type that takes many jobs at once.

        Its one parameter is a ``Sequence`` or ``list`` of ``BatchJob[Payload]``. It says of each job what
        came of it, by ``succeed`` or ``fail``; a job of which it says nothing has failed and may be tried
        again. An error that it raises is that of all jobs of which it has said nothing.

        Args:
            jobs_max: for one call, 1 to 1,000; no more come together than the worker has slots.
            wait: 0 to 10 s, for which the first job of a call waits for others; 0 takes what is there.
            timeout: of the call, from its beginning; a job with one of its own has to stop at that.
            name: this and the rest are as in ``register``.

        Raises:
            HandlerFault: the name is taken here, or the function cannot be a batch handler.
            InvalidInput: a name or a number is out of its range.
        """
        gathering = Gathering(jobs_max=jobs_max, wait=wait)
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
            self._check_name(rules.name, function)
            signature = Signature.of_batch(function)
            return self._add(rules, function, signature, upcasters, log_fields, gathering)

        return declare

    def heed(self, name: str, outlook: Callable[[], Outlook]) -> None:
        """Let no job of a declared type begin while its providers are shut.

        Args:
            outlook: whether one of them may be called now; asked again and again.
        """
        self._types[name] = evolve(self._types[name], outlook=outlook)

    def _check_name(self, name: str, function: Callable[..., Any]) -> None:
        if name in self._types:
            taken = place_of(self._types[name].function)
            raise HandlerFault(f"{place_of(function)}: the type {name!r} is taken by {taken}; rename one")

    def _add(
        self,
        rules: TypeRules,
        function: Callable[..., Any],
        signature: Signature,
        upcasters: Mapping[int, Upcaster] | None,
        log_fields: Sequence[str],
        gathering: Gathering | None = None,
    ) -> JobType[Any]:
        schema = _schema(signature.payload, function)
        declared = JobType(
            rules=evolve(rules, log_fields=checked_log_fields(log_fields, schema, function)),
            schema=schema,
            function=function,
            takes_context=signature.takes_context,
            kind=signature.kind,
            upcasters=_checked(upcasters or {}, rules.payload_version, function),
            gathering=gathering,
        )
        self._types[rules.name] = declared
        return declared

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
