"""The routes of jobs."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from attrs import frozen

from jobmill.application.codec.batch_json import BatchCutter
from jobmill.application.codec.strict_json import FAULTS_MAX, MalformedJson, pointer_token, read_json
from jobmill.application.codec.submit_request import read_submit
from jobmill.application.commands import SubmitJob
from jobmill.application.pauses import Pauses
from jobmill.application.submitter import BATCH_MAX
from jobmill.domain.errors import Fault, InvalidInput
from jobmill.domain.job import Job
from jobmill.domain.states import TERMINAL, JobState
from jobmill.entrypoints.http.answers import (
    Answer,
    Req,
    Written,
    accepted_answer,
    accepted_batch,
    answer,
    id_of,
    page_answer,
)
from jobmill.entrypoints.http.idempotency_key import idempotency_key_of, refuse_idempotency_key
from jobmill.entrypoints.http.job_query import job_query
from jobmill.entrypoints.http.query_string import no_query, wait_of
from jobmill.entrypoints.http.request_body import BATCH_BYTES_MAX, read_body, read_bytes, read_optional_body
from jobmill.entrypoints.http.services import HttpServices
from jobmill.entrypoints.http.views import job_view, story_view

#: A longer batch is cut into its jobs first.
READ_AT_ONCE_BYTES_MAX: Final = 64 * 1024
#: Of an unknown name, to be told to its sender.
_NAME_CHARS: Final = 100
_CUTTER: Final = BatchCutter(BATCH_MAX)


@frozen(kw_only=True)
class JobRoutes:
    """Submitting, reading and moving jobs."""

    services: HttpServices

    async def submit(self, request: Req) -> Written:
        """Store one job, or find the one that the same request made before."""
        no_query(request)
        key = idempotency_key_of(request)
        command = read_submit(await read_body(request), idempotency_key=key)
        [accepted] = await self.services.submitter.submit([command])
        return accepted_answer(accepted.job, replayed=accepted.replayed)

    async def submit_batch(self, request: Req) -> Written:
        """Store up to a thousand jobs, all or none."""
        no_query(request)
        refuse_idempotency_key(request)
        commands = await read_jobs(await read_bytes(request, bytes_max=BATCH_BYTES_MAX))
        return accepted_batch(await self.services.submitter.submit(commands, pointer="/jobs/{at}"))

    async def page(self, request: Req) -> Answer:
        """Show one page of jobs."""
        page = await self.services.inspector.page(job_query(request.scope["query_string"]))
        return page_answer(request, [job_view(job) for job in page.jobs], next_after=page.next_after)

    async def story(self, request: Req) -> Answer:
        """Show one job with its history, at once or when it is finished."""
        wait_s = wait_of(request)
        job_id, inspector = id_of(request), self.services.inspector
        story = await inspector.story(job_id)
        if wait_s and story.job.state not in TERMINAL:
            await self.services.watch.finished(job_id, within_s=wait_s)
            story = await inspector.story(job_id)
        return answer(story_view(story))

    async def cancel(self, request: Req) -> Answer:
        """Take a waiting job back, or ask a running one to stop."""
        no_query(request)
        job = await self.services.operator.cancel(id_of(request))
        return answer(job_view(job), status=202 if job.state is JobState.PROCESSING else 200)

    async def requeue(self, request: Req) -> Answer:
        """Start a dead or cancelled job over, with another payload if one is sent."""
        no_query(request)
        payload = edited_payload(await read_optional_body(request))
        job = await self.services.operator.requeue(id_of(request), payload=payload)
        return answer(job_view(job))

    async def discard(self, request: Req) -> Answer:
        """Put a dead letter away for good."""
        no_query(request)
        job: Job = await self.services.operator.discard(id_of(request))
        return answer(job_view(job))


def edited_payload(body: object) -> object:
    """Return the payload that a requeue asks for, None if it asks for none; raises ``InvalidInput``."""
    if not isinstance(body, dict):
        raise InvalidInput(Fault(pointer="", detail="must be an object, with a payload or empty"))
    faults = [
        Fault(pointer=pointer_token(name), detail="unknown field; a requeue takes a payload alone")
        for name in body
        if name != "payload"
    ]
    if "payload" in body and not isinstance(body["payload"], dict):
        faults.append(Fault(pointer="/payload", detail="must be an object"))
    if faults:
        raise InvalidInput(*faults)
    return body.get("payload")


async def read_jobs(raw: bytes) -> Sequence[SubmitJob]:
    """Read a list of jobs; a long one in pieces, so that nobody waits for it.

    Raises:
        InvalidInput: it is another thing than a batch. What is wrong with its jobs stands in the commands.
    """
    if len(raw) <= READ_AT_ONCE_BYTES_MAX:
        return jobs_in(read_json(raw))
    commands: list[SubmitJob] = []
    faults, pauses = 0, Pauses()
    for at, item in enumerate(_CUTTER.items(raw)):
        try:
            commands.append(read_submit(read_json(item)))
        except MalformedJson as error:
            raise error.below(f"/jobs/{at}") from None
        faults += len(commands[-1].faults)
        if faults >= FAULTS_MAX:
            break
        await pauses.after(len(item))
    return commands


def jobs_in(body: object) -> Sequence[SubmitJob]:
    """Return the jobs of a list that is read already; raises as ``read_jobs``."""
    return _commands(_items(body))


def _items(body: object) -> Sequence[object]:
    """Return what a batch holds; its own form is checked here, its jobs are not."""
    if not isinstance(body, dict):
        raise InvalidInput(Fault(pointer="", detail="must be an object with a list of jobs"))
    faults = [
        Fault(pointer=pointer_token(name[:_NAME_CHARS]), detail="unknown field; a batch holds jobs alone")
        for name in islice(body, FAULTS_MAX)
        if name != "jobs"
    ]
    jobs = body.get("jobs")
    if not isinstance(jobs, list):
        faults.append(Fault(pointer="/jobs", detail="must be a list" if "jobs" in body else "is required"))
    elif len(jobs) > BATCH_MAX:
        detail = f"a batch holds 1 to {BATCH_MAX:,} jobs, not {len(jobs):,}"
        faults.append(Fault(pointer="/jobs", detail=detail))
    if faults:
        raise InvalidInput(*faults)
    assert isinstance(jobs, list)
    return jobs


def _commands(items: Sequence[object]) -> Sequence[SubmitJob]:
    """Read the jobs of a batch, no further than there is room to tell what is wrong with them."""
    commands: list[SubmitJob] = []
    faults = 0
    for item in items:
        commands.append(read_submit(item))
        faults += len(commands[-1].faults)
        if faults >= FAULTS_MAX:
            break
    return commands
