"""The commands ``jobs`` and ``job``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter
from cyclopts.validators import Number

from jobmill.application.errors import JobNotFound
from jobmill.application.inspector import PAGE_MAX
from jobmill.application.ports.job_finder import JobQuery
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.entrypoints.cli.durations import written
from jobmill.entrypoints.cli.following import first_line
from jobmill.entrypoints.cli.portraits import job_portrait, message_portrait
from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.cli.session import open_services, read_settings
from jobmill.entrypoints.http.views import encode, job_view, story_view, whole_letter_view

Limit = Annotated[int, Parameter(validator=Number(gte=1, lte=PAGE_MAX))]
AsJson = Annotated[bool, Parameter(name="--json")]

#: From so many columns on there is room for the queue and the last error.
_WIDE_COLUMNS = 110


async def jobs(
    *,
    status: tuple[JobState, ...] = (),
    type: str | None = None,  # noqa: A002 - the word on the command line
    queue: str | None = None,
    tag: str | None = None,
    tenant: str | None = None,
    correlation_id: str | None = None,
    limit: Limit = 50,
    cursor: UUID | None = None,
    oldest_first: bool = False,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first.

    Args:
        status: only jobs that stand so; may be repeated.
        type: only jobs of this type.
        queue: only jobs of this queue.
        tag: only jobs with this tag.
        tenant: only jobs of this tenant.
        correlation_id: only jobs with this correlation id.
        limit: from 1 to 200.
        cursor: only what comes after the job with this id.
        oldest_first: turn the order round.
        as_json: print each job as one line of JSON.
    """
    query = JobQuery(
        states=frozenset(status),
        type=type and type.lower(),
        queue=queue,
        tag=tag,
        tenant=tenant,
        correlation_id=correlation_id,
        after=cursor,
        newest_first=not oldest_first,
        limit=limit,
    )
    screen = Screen()
    async with open_services(read_settings()) as services:
        page = await services.inspector().page(query)
        now = services.store().clock.now()
    if as_json:
        for job in page.jobs:
            screen.json(encode(job_view(job)))
    elif page.jobs:
        _table(page.jobs, now, screen)
    else:
        screen.note("no such jobs")
    if page.next_after is not None:
        screen.note(f"there are more: add --cursor {page.next_after}")


async def job(job_id: Annotated[UUID, Parameter(name="ID")], /, *, as_json: AsJson = False) -> None:
    """Show all that is known of one job, or of one message in quarantine.

    Args:
        job_id: the whole id.
        as_json: print it as one line of JSON.
    """
    screen = Screen()
    async with open_services(read_settings()) as services:
        inspector = services.inspector()
        try:
            story = await inspector.story(job_id)
        except JobNotFound as not_a_job:
            try:
                message = await inspector.message(job_id)
            except JobNotFound:
                raise not_a_job from None
            if as_json:
                screen.json(encode(whole_letter_view(message)))
            else:
                screen.lines(message_portrait(message))
            return
        now = services.store().clock.now()
        awaited = () if as_json else await inspector.breakers_awaited(story.job)
    if as_json:
        screen.json(encode(story_view(story)))
    else:
        screen.lines(job_portrait(story, awaited=awaited, now=now))


def _table(found: Sequence[Job], now: datetime, screen: Screen) -> None:
    heads = ["ID", "STATUS", "TYPE", "TRIES", "AGE"]
    rows = [
        [
            str(each.id),
            each.state.value,
            each.type,
            f"{each.attempt}/{each.max_attempts}",
            written(now - each.created_at),
        ]
        for each in found
    ]
    if screen.columns >= _WIDE_COLUMNS:
        heads += ["QUEUE", "ERROR"]
        rows = [
            [*row, each.queue, first_line(each.error or "")] for row, each in zip(rows, found, strict=True)
        ]
    screen.table(heads, rows)
