"""What a client asks for: one job to be run, and the options it may have."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypedDict, TypeVar, cast

from attrs import field, frozen

from jobmill.application.commands import NO_OPTIONS, SubmitJob
from jobmill.application.handlers import JobType
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.options import JobOptions, Unique
from jobmill.domain.states import Priority

P = TypeVar("P")


class Options(TypedDict, total=False):
    """What may be asked for one job; what is left out follows the rules of its type.

    Durations are ``timedelta``, times have a zone. See ``JobOptions`` for the ranges.
    """

    queue: str
    priority: Priority
    run_at: datetime
    delay: timedelta
    ttl: timedelta
    max_attempts: int
    timeout: timedelta
    correlation_id: str
    idempotency_key: str
    tenant: str
    tags: Sequence[str]
    unique: str | Unique


@frozen
class Submission(Generic[P]):
    """One job of several that are submitted together."""

    job_type: JobType[P] | str
    payload: P
    options: Options = field(factory=Options, kw_only=True)

    def command(self) -> SubmitJob:
        """Return what is asked of the services; raises ``InvalidPayload``."""
        options = job_options(self.options)
        if isinstance(self.job_type, str):
            return SubmitJob(type=self.job_type, payload=self.payload, options=options)
        schema = self.job_type.schema
        payload = schema.dump(self.payload)
        return SubmitJob(type=self.job_type.name, payload=payload, options=options, checked_by=schema)


def job_options(options: Options) -> JobOptions:
    """Return the wishes as the services take them.

    Raises:
        InvalidInput: an option is not known or of the wrong class; its range is checked with the job.
    """
    if not options:
        return NO_OPTIONS
    wishes = dict(options)
    faults = [fault for name, value in wishes.items() if (fault := _wrong_option(name, value))]
    if faults:
        raise InvalidInput(*faults)
    if isinstance(unique := wishes.get("unique"), str):
        wishes["unique"] = Unique(key=unique)
    if "tags" in wishes:
        wishes["tags"] = tuple(cast("Sequence[str]", wishes["tags"]))
    return JobOptions(**cast("dict[str, Any]", wishes))


def _wrong_option(name: str, value: object) -> Fault | None:
    if name not in _KINDS:
        return Fault(pointer=f"/{name}", detail=f"unknown option; known are {', '.join(_KINDS)}")
    kinds = _KINDS[name]
    if isinstance(value, kinds):
        return None
    wanted = " or ".join(kind.__name__ for kind in kinds)
    return Fault(pointer=f"/{name}", detail=f"must be a {wanted}, not a {type(value).__name__}")


#: What each option of ``Options`` must be, for callers whom no type checker has told.
_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "queue": (str,),
    "priority": (Priority,),
    "run_at": (datetime,),
    "delay": (timedelta,),
    "ttl": (timedelta,),
    "max_attempts": (int,),
    "timeout": (timedelta,),
    "correlation_id": (str,),
    "idempotency_key": (str,),
    "tenant": (str,),
    "tags": (list, tuple),
    "unique": (str, Unique),
}


def commands_of(submissions: Sequence[Submission[Any]]) -> Sequence[SubmitJob]:
    """Return what is asked of the services; of several jobs the faults say by number which they mean."""
    commands = []
    for at, each in enumerate(submissions):
        try:
            commands.append(each.command())
        except InvalidInput as error:
            raise error.below(place_of_each(submissions).format(at=at)) from None
    return commands


def place_of_each(unit: Sequence[object]) -> str:
    """Return where the faults of each job are said to stand; ``{at}`` is for its number."""
    return "/{at}" if len(unit) > 1 else ""


def types_of(submissions: Sequence[Submission[Any]]) -> Sequence[JobType[Any]]:
    """Return the types whose code the caller has."""
    return [each.job_type for each in submissions if isinstance(each.job_type, JobType)]
