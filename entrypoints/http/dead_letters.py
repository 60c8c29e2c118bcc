"""The routes of what died: failed and expired jobs, and messages that were never jobs."""

from uuid import UUID

from attrs import frozen

from jobmill.application.codec.submit_request import read_submit
from jobmill.application.errors import JobNotFound
from jobmill.application.ports.job_finder import JobStory
from jobmill.application.ports.quarantine import ForeignMessage
from jobmill.domain.states import DEAD
from jobmill.entrypoints.http.answers import Answer, Req, Written, accepted_answer, answer, id_of, page_answer
from jobmill.entrypoints.http.job_query import dead_letter_query
from jobmill.entrypoints.http.jobs import edited_payload
from jobmill.entrypoints.http.query_string import no_query
from jobmill.entrypoints.http.refusals import NotDead
from jobmill.entrypoints.http.request_body import read_body, read_optional_body
from jobmill.entrypoints.http.services import HttpServices
from jobmill.entrypoints.http.views import encode, job_view, letter_view, whole_letter_view


@frozen(kw_only=True)
class DeadLetterRoutes:
    """Looking at dead letters, and bringing them back or putting them away."""

    services: HttpServices

    async def page(self, request: Req) -> Answer:
        """Show one page of dead letters, newest first."""
        query, kinds = dead_letter_query(request.scope["query_string"])
        page = await self.services.inspector.dead_letters(query=query, kinds=kinds)
        shown = [letter_view(letter) for letter in page.letters]
        return page_answer(request, shown, next_after=page.next_after)

    async def letter(self, request: Req) -> Answer:
        """Show one dead letter with all that is known of it."""
        no_query(request)
        return answer(whole_letter_view(await self._letter(id_of(request))))

    async def requeue(self, request: Req) -> Written:
        """Start a dead job over, or make a job of a message by the request that is sent for it."""
        no_query(request)
        letter = await self._letter(id_of(request))
        if isinstance(letter, ForeignMessage):
            command = read_submit(await read_body(request))
            accepted = await self.services.operator.mend(letter.id, command)
            return accepted_answer(accepted.job, replayed=accepted.replayed)
        payload = edited_payload(await read_optional_body(request))
        job = await self.services.operator.requeue(letter.job.id, payload=payload)
        return Written(200, (), encode(job_view(job)))

    async def discard(self, request: Req) -> Answer:
        """Put a dead job away, or throw a message away; both for good."""
        no_query(request)
        letter = await self._letter(id_of(request))
        if isinstance(letter, ForeignMessage):
            await self.services.operator.drop(letter.id)
            return answer(whole_letter_view(letter))
        return answer(job_view(await self.services.operator.discard(letter.job.id)))

    async def _letter(self, letter_id: UUID) -> JobStory | ForeignMessage:
        """Return what died under this id.

        Raises:
            JobNotFound: nothing is known under it.
            NotDead: it is a job, and not a dead one.
        """
        try:
            story = await self.services.inspector.story(letter_id)
        except JobNotFound:
            return await self.services.inspector.message(letter_id)
        if story.job.state not in DEAD:
            raise NotDead(letter_id, story.job.state)
        return story
