"""Looking at jobs and at what died."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from jobmill.application.errors import JobNotFound
from jobmill.application.ports.ended_jobs import EndedJobs
from jobmill.application.ports.job_finder import JobFinder, JobQuery, JobStory
from jobmill.application.ports.provider_states import ProviderRecord, ProviderStates
from jobmill.application.ports.quarantine import ForeignMessage, Quarantine
from jobmill.application.provider_limits import OnOpen
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.job import Job
from jobmill.domain.states import DEAD, WAITING, JobState
from jobmill.domain.ties import Tally

PAGE_MAX: Final = 200


@frozen(kw_only=True)
class Page:
    """Jobs of one page and the cursor of the next; None at the end."""

    jobs: Sequence[Job]
    next_after: UUID | None


DeadLetter = Job | ForeignMessage


@frozen(kw_only=True)
class DeadLetterPage:
    """Dead jobs and quarantined messages, newest first, and the cursor of the next page."""

    letters: Sequence[DeadLetter]
    next_after: UUID | None


@frozen(kw_only=True)
class Inspector:
    """The read side of the services. Raises ``StorageUnavailable``."""

    finder: JobFinder
    quarantine: Quarantine
    ended_jobs: EndedJobs
    providers: ProviderStates

    async def story(self, job_id: UUID) -> JobStory:
        """Return a job with its history; raises ``JobNotFound``."""
        story = await self.finder.story(job_id)
        if story is None:
            raise JobNotFound(job_id)
        return story

    async def breakers_awaited(self, job: Job) -> Sequence[ProviderRecord]:
        """Return the providers whose breakers keep a job waiting: those of its type, where none is closed.

        Empty where it waits for something else, or runs, or would only fail at them.
        """
        if job.state not in WAITING:
            return ()
        records = [each for each in await self.providers.look() if each.provider.startswith(f"{job.type}:")]
        fails = any(each.limits.get("on_open") == OnOpen.FAIL.value for each in records)
        return () if fails or any(each.breaker.is_closed for each in records) else records

    async def batch(self, batch_id: UUID) -> tuple[Job, Tally]:
        """Return a batch's callback and how its jobs stand; raises ``JobNotFound``."""
        found = (await self.ended_jobs.tallies([batch_id])).get(batch_id)
        if found is None:
            raise JobNotFound(batch_id)
        return found

    async def page(self, query: JobQuery) -> Page:
        """Return the jobs that a query asks for; raises ``InvalidInput`` for a limit out of 1 to 200."""
        _check_limit(query.limit)
        found = await self.finder.page(evolve(query, limit=query.limit + 1))
        jobs = found[: query.limit]
        return Page(jobs=jobs, next_after=jobs[-1].id if len(found) > query.limit else None)

    async def dead_letters(self, *, query: JobQuery, kinds: frozenset[str]) -> DeadLetterPage:
        """Return failed and expired jobs and quarantined messages in one list, newest first.

        Args:
            query: filters for jobs; with any of type, queue, tag, tenant, correlation id or time of making,
                messages are left out, since they have none.
            kinds: which of ``failed``, ``expired``, ``quarantined``; empty for all.
        """
        _check_limit(query.limit)
        states = frozenset(state for state in DEAD if not kinds or state.value in kinds)
        wanted = evolve(query, states=states, newest_first=True, limit=query.limit + 1)
        letters: list[DeadLetter] = list(await self.finder.page(wanted)) if states else []
        every = JobQuery(states=query.states, after=query.after, limit=query.limit)
        is_for_jobs = evolve(query, newest_first=True) != every
        if (not kinds or "quarantined" in kinds) and not is_for_jobs:
            letters += await self.quarantine.page(limit=query.limit + 1, before=query.after)
        letters.sort(key=lambda letter: letter.id, reverse=True)
        shown = letters[: query.limit]
        more = len(letters) > query.limit
        return DeadLetterPage(letters=shown, next_after=shown[-1].id if more else None)

    async def message(self, message_id: UUID) -> ForeignMessage:
        """Return a quarantined message; raises ``JobNotFound``."""
        message = await self.quarantine.get(message_id)
        if message is None:
            raise JobNotFound(message_id)
        return message

    async def counts(self) -> Mapping[tuple[str, JobState], int]:
        """Count unfinished jobs and dead letters by queue and state."""
        return await self.finder.counts()


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= PAGE_MAX:
        raise InvalidInput(Fault(pointer="/limit", detail=f"must be from 1 to {PAGE_MAX}"))
