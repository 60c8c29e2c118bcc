"""What the jobs of one request have to do with each other, and with jobs that were stored before."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from attrs import frozen

from jobmill.application.commands import SubmitJob
from jobmill.application.errors import IdempotencyConflict
from jobmill.application.ports.job_repository import NewJob
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.job import Job
from jobmill.domain.ties import CHAIN_DEPTH_MAX, Ties


@frozen(kw_only=True)
class Kin:
    """The relations of one request.

    Args:
        is_any: there are some.
        callback_id: of the job that runs when the others have ended, None without any.
        predecessors: the stored jobs that are followed; None where none can be.
    """

    is_any: bool
    callback_id: UUID | None = None
    predecessors: Mapping[UUID, Job] | None = None

    def ties_of(self, command: SubmitJob, at: int, unit: Mapping[int, NewJob]) -> Ties | None:
        """Return what ties a job to others, None without any.

        Args:
            at: its number in the request.
            unit: those before it, but for such as are refused.

        Raises:
            InvalidInput: it cannot follow whom it names.
        """
        follows = command.options.follows
        if follows is None:
            return None if self.callback_id is None else Ties(batch=self.callback_id)
        if isinstance(follows, UUID):
            before = self._stored(follows)
        elif not 0 <= follows < at:
            raise _refusal(_no_number(at))
        elif follows not in unit:
            return None  # which is refused, and all others with it
        else:
            before = unit[follows].job
        depth = (before.chain_depth or 0) + 1
        if depth > CHAIN_DEPTH_MAX:
            raise _refusal(f"at most {CHAIN_DEPTH_MAX} jobs may stand before one in a chain")
        return Ties(follows=before.id, chain_depth=depth, batch=self.callback_id)

    def _stored(self, job_id: UUID) -> Job:
        if self.predecessors is None:
            detail = "must be the number of an earlier job of the same call: nothing stored before can be "
            raise _refusal(detail + "followed by a job of your own transaction")
        if job_id not in self.predecessors:
            raise without_predecessor(job_id)
        return self.predecessors[job_id]


def are_related(commands: Iterable[SubmitJob], callback: SubmitJob | None) -> bool:
    """Return whether any of these have to do with others."""
    return callback is not None or any(command.options.follows is not None for command in commands)


def without_predecessor(job_id: UUID) -> InvalidInput:
    """Return the refusal of a job that follows one which is not there."""
    return _refusal(f"no job has the id {job_id}")


def stored_predecessors(commands: Iterable[SubmitJob]) -> Sequence[UUID]:
    """Return whom the commands name by their ids."""
    named = (command.options.follows for command in commands)
    return list(dict.fromkeys(each for each in named if isinstance(each, UUID)))


def partly_keyed(commands: Sequence[SubmitJob]) -> Iterator[tuple[int, InvalidInput]]:
    """Yield which jobs of a request whose jobs belong together lack an idempotency key that others have."""
    with_key = [command.options.idempotency_key is not None for command in commands]
    if not any(with_key):
        return
    detail = "is required, as others have one: jobs that belong together are replayed together"
    for at, has_key in enumerate(with_key):
        if not has_key:
            yield at, InvalidInput(Fault(pointer="/idempotency_key", detail=detail))


def check_replays(asked: Sequence[NewJob], answered: Sequence[Job]) -> None:
    """See to it that jobs which stand for a request belong together as it asks.

    Raises:
        IdempotencyConflict: keys of several earlier requests were mixed.
    """
    stands_for = {new.job.id: job.id for new, job in zip(asked, answered, strict=True)}
    for new, job in zip(asked, answered, strict=True):
        for wanted, found in ((new.job.batch, job.batch), (new.job.follows, job.follows)):
            if wanted in stands_for and stands_for[wanted] != found:
                raise IdempotencyConflict(key=job.idempotency_key or "", job_id=job.id)


def _no_number(at: int) -> str:
    if at == 0:
        return "no job stands before this one in the request; give the id of a stored job"
    return f"must be the number of an earlier job of the request, from 0 to {at - 1}, or a stored job's id"


def _refusal(detail: str) -> InvalidInput:
    return InvalidInput(Fault(pointer="/follows", detail=detail))
