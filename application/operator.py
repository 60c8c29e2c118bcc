"""What a person does to a job: cancel, requeue, discard, mend."""

from typing import Any, Final
from uuid import UUID

from attrs import evolve, frozen

from jobmill.application.batches import left_by_batch
from jobmill.application.codec.payload_schema import write_payload
from jobmill.application.commands import SubmitJob
from jobmill.application.commits import Commits
from jobmill.application.errors import JobNotFound, StaleJob, StorageUnknown
from jobmill.application.handlers import Registry
from jobmill.application.ports.clock import Clock, Entropy
from jobmill.application.ports.ended_jobs import EndedJobs
from jobmill.application.ports.job_repository import Saved, Unknown
from jobmill.application.ports.leases import Leases
from jobmill.application.ports.quarantine import Quarantine
from jobmill.application.submitter import Accepted, Submitter, check_payload_size
from jobmill.domain.errors import Fault
from jobmill.domain.follow_up import left_by
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.domain.transition import Transition

_TRIES: Final = 3


@frozen(kw_only=True)
class Operator:
    """Moves single jobs by hand. Every verb raises ``JobNotFound``, ``IllegalTransition`` or ``StaleJob``."""

    commits: Commits
    leases: Leases
    ended_jobs: EndedJobs
    quarantine: Quarantine
    submitter: Submitter
    registry: Registry
    clock: Clock
    entropy: Entropy

    async def cancel(self, job_id: UUID) -> Job:
        """Take a waiting job back; ask a running one to stop, which it does within a lease renewal."""
        for _ in range(_TRIES):
            job = await self._found(job_id)
            if job.state is JobState.PROCESSING:
                asked = job.ask_to_stop()
                if (await self.leases.ask_to_stop([job_id]))[0]:
                    return asked
            elif saved := await self._saved(job.cancel(now=self.clock.now(), stamp=self.entropy.stamp())):
                return saved
        raise StaleJob(job_id)

    async def requeue(self, job_id: UUID, *, payload: object = None) -> Job:
        """Start a dead or cancelled job over.

        One that came after others and was cancelled before they let it go starts only if by now the job that
        it follows has succeeded, or all jobs of its batch have ended; it inherits what they leave.

        Args:
            payload: an edited payload, as plain values; None keeps the one it has.

        Raises:
            InvalidPayload: the type's schema refuses the edited payload; nothing is changed.
        """
        job = await self._found(job_id)
        edited: dict[str, Any] = {}
        if payload is not None:
            await self.submitter.learn([job.type])
            version = self.registry.known_as(job.type).rules.payload_version
            edited = {"payload": self._checked(job, payload), "payload_version": version}
        if job.awaits:
            edited["inherited"] = await self._left_to(job)
        saved = await self._saved(job.requeue(now=self.clock.now(), stamp=self.entropy.stamp(), **edited))
        if saved is None:
            raise StaleJob(job_id)
        return saved

    async def discard(self, job_id: UUID) -> Job:
        """Put a dead letter away for good."""
        job = await self._found(job_id)
        saved = await self._saved(job.discard(now=self.clock.now(), stamp=self.entropy.stamp()))
        if saved is None:
            raise StaleJob(job_id)
        return saved

    async def mend(self, message_id: UUID, command: SubmitJob) -> Accepted:
        """Make a job of a quarantined message and drop the message. Repeating it makes no second job.

        Raises:
            JobNotFound: no message has this id.
            InvalidInput: the command is refused; the message stays.
        """
        if await self.quarantine.get(message_id) is None:
            raise JobNotFound(message_id)
        [accepted] = await self.submitter.submit([_once(message_id, command)], client="mended")
        await self.quarantine.drop(message_id)
        return accepted

    async def drop(self, message_id: UUID) -> None:
        """Throw a quarantined message away; raises ``JobNotFound``."""
        if not await self.quarantine.drop(message_id):
            raise JobNotFound(message_id)

    async def _left_to(self, job: Job) -> str | None:
        """Return what a job would inherit now, None as long as that for which it waited has not come."""
        if job.follows is not None:
            [before] = await self.commits.look([job.follows])
            return left_by(before) if before is not None and before.state is JobState.SUCCEEDED else None
        found = await self.ended_jobs.tallies([job.id])
        return next((left_by_batch(job.id, tally) for _, tally in found.values() if tally.is_over), None)

    async def _found(self, job_id: UUID) -> Job:
        [job] = await self.commits.look([job_id])
        if job is None:
            raise JobNotFound(job_id)
        return job

    async def _saved(self, move: Transition) -> Job | None:
        """Return the job as it is now; None if somebody else moved it in between."""
        [answer] = await self.commits.save([move])
        if isinstance(answer, Unknown):
            raise StorageUnknown("the database was cut off; look at the job before you repeat this")
        return answer.job if isinstance(answer, Saved) else None

    def _checked(self, job: Job, payload: object) -> str:
        self.registry.known_as(job.type).schema.structure(payload)
        text = write_payload(payload)
        check_payload_size(text)
        return text


def _once(message_id: UUID, command: SubmitJob) -> SubmitJob:
    """The message itself is the key of what is made of it, so another one would mean nothing."""
    faults = command.faults
    if command.options.idempotency_key is not None:
        detail = "leave it out: a message is mended once, whatever the key"
        faults = (*faults, Fault(pointer="/idempotency_key", detail=detail))
    return evolve(command, options=evolve(command.options, idempotency_key=str(message_id)), faults=faults)
