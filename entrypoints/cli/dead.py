"""The command ``dead``."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from cyclopts import Parameter
from cyclopts.validators import Number

from jobmill.application.inspector import PAGE_MAX, DeadLetter
from jobmill.application.ports.job_finder import JobQuery
from jobmill.domain.job import Job
from jobmill.entrypoints.cli.durations import ago
from jobmill.entrypoints.cli.following import first_line
from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.cli.session import open_services, read_settings
from jobmill.entrypoints.http.views import encode, letter_view

Kind = Literal["failed", "expired", "quarantined"]


async def dead(
    *,
    kind: tuple[Kind, ...] = (),
    limit: Annotated[int, Parameter(validator=Number(gte=1, lte=PAGE_MAX))] = 50,
    cursor: UUID | None = None,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """List what failed, expired, or could not be understood, newest first.

    Args:
        kind: only dead letters of this kind; may be repeated.
        limit: from 1 to 200.
        cursor: only what comes after the dead letter with this id.
        as_json: print each as one line of JSON.
    """
    screen = Screen()
    async with open_services(read_settings()) as services:
        query = JobQuery(after=cursor, limit=limit)
        page = await services.inspector().dead_letters(query=query, kinds=frozenset(kind))
        now = services.store().clock.now()
    for letter in page.letters:
        if as_json:
            screen.json(encode(letter_view(letter)))
        else:
            screen.lines(_lines(letter, now))
    if not page.letters and not as_json:
        screen.note("no dead letters")
    if page.next_after is not None:
        screen.note(f"there are more: add --cursor {page.next_after}")


def _lines(letter: DeadLetter, now: datetime) -> Iterator[str]:
    """Two lines each, so that the reason has the width of the screen for itself."""
    if isinstance(letter, Job):
        yield f"{letter.id}  {letter.state.value:<11}  {letter.type}  {ago(now - letter.updated_at)}"
        yield f"    {first_line(letter.error or 'its time to live was over before it could start')}"
    else:
        yield f"{letter.id}  quarantined  from {letter.source}  {ago(now - letter.received_at)}"
        yield f"    {first_line(letter.reason)}"
