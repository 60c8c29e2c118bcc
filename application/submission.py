"""What a client asks for: one job to be run, and the options it may have."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypedDict, TypeVar, cast
from uuid import UUID

from attrs import field, frozen

from jobmill.application.commands import NO_OPTIONS, SubmitJob
from jobmill.application.filters import id_of
from jobmill.application.handlers import JobType
from jobmill.application.public_job import Job
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.options import JobOptions, Unique
from jobmill.domain.states import Priority

P = TypeVar("P")

#: Where a batch's callback stands in the caller's input.
CALLBACK: Final = "/callback"


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
    #: The job after whose success it comes; a number is that of an earlier job of the same call, from 0.
    follows: Job | UUID | str | int


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
    if isinstance(follows := wishes.get("follows"), Job | UUID | str):
        wishes["follows"] = _followed(follows)
    return JobOptions(**cast("dict[str, Any]", wishes))


def _followed(follows: Job | UUID | str) -> UUID:
    try:
        return id_of(follows)
    except InvalidInput as error:
        raise error.naming(Fault(pointer="/follows", detail=each.detail) for each in error.faults) from None


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
    "follows": (Job, UUID, str, int),
}


def commands_of(submissions: Sequence[Submission[Any]], *, is_batch: bool = False) -> Sequence[SubmitJob]:
    """Return what is asked of the services; of several jobs the faults say by number which they mean."""
    commands = []
    for at, each in enumerate(submissions):
        try:
            commands.append(each.command())
        except InvalidInput as error:
            raise error.below(place_of_each(submissions, is_batch=is_batch).format(at=at)) from None
    return commands


def callback_of(submission: Submission[Any] | None) -> SubmitJob | None:
    """Return what is asked for the end of a batch, if anything is."""
    try:
        return None if submission is None else submission.command()
    except InvalidInput as error:
        raise error.below(CALLBACK) from None


def place_of_each(unit: Sequence[object], *, is_batch: bool = False) -> str:
    """Return where the faults of each job are said to stand; ``{at}`` is for its number.

    Args:
        is_batch: it has a callback, so that one job has a number as well.
    """
    return "/{at}" if is_batch or len(unit) > 1 else ""


def types_of(submissions: Sequence[Submission[Any]]) -> Sequence[JobType[Any]]:
    """Return the types whose code the caller has."""
    return [each.job_type for each in submissions if isinstance(each.job_type, JobType)]
