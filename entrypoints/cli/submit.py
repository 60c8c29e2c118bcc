"""The command ``submit``."""

import asyncio
from asyncio import sleep as pause
from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from attrs import frozen
from cyclopts import Parameter
from cyclopts.validators import Number

from jobmill.application.codec.submit_request import read_submit
from jobmill.application.errors import Unavailable
from jobmill.application.submitter import Accepted
from jobmill.domain.retry_policy import MAX_ATTEMPTS_LIMIT
from jobmill.domain.states import JobState, Priority
from jobmill.entrypoints.cli.durations import Duration
from jobmill.entrypoints.cli.exits import Exit, WrongUse
from jobmill.entrypoints.cli.following import Following
from jobmill.entrypoints.cli.payloads import payload_given
from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.cli.session import open_services, read_settings, warn_unannounced
from jobmill.entrypoints.http.views import encode, job_view


@Parameter(name="*")
@frozen(kw_only=True)
class Wishes:
    """What may be asked for one job.

    Args:
        queue: instead of the type's own.
        priority: among the jobs of the queue.
        run_at: not before this time, as in 2030-01-31T08:00:00Z.
        delay: not before this long from now, as in 90s, 5m, 2h.
        ttl: how long after its due time the job may still start.
        max_attempts: from 1 to 100.
        timeout: how long one attempt may take.
        correlation_id: stands in every log line of the job.
        idempotency_key: the same request under the same key makes one job.
        tenant: on whose behalf.
        tag: a word to find the job by; may be repeated.
        unique: no second job of the type with this key until the first is finished.
        follows: the id of the job after whose success it comes.
    """

    queue: str | None = None
    priority: Priority | None = None
    run_at: str | None = None
    delay: Duration | None = None
    ttl: Duration | None = None
    max_attempts: Annotated[int | None, Parameter(validator=Number(gte=1, lte=MAX_ATTEMPTS_LIMIT))] = None
    timeout: Duration | None = None
    correlation_id: str | None = None
    idempotency_key: str | None = None
    tenant: str | None = None
    tag: tuple[str, ...] = ()
    unique: str | None = None
    follows: UUID | None = None

    def fields(self) -> dict[str, object]:
        """Return what was asked for under the names of a request."""
        asked: dict[str, object] = {
            "queue": self.queue,
            "priority": self.priority and self.priority.value,
            "run_at": self.run_at,
            "delay_s": _seconds(self.delay),
            "ttl_s": _seconds(self.ttl),
            "max_attempts": self.max_attempts,
            "timeout_s": _seconds(self.timeout),
            "correlation_id": self.correlation_id,
            "idempotency_key": self.idempotency_key,
            "tenant": self.tenant,
            "tags": list(self.tag) or None,
            "unique": self.unique,
            "follows": self.follows and str(self.follows),
        }
        return {name: value for name, value in asked.items() if value is not None}


async def submit(
    type: str,  # noqa: A002 - the word on the command line
    json: str | None = None,
    /,
    *,
    payload_file: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    file: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    rejected: str | None = None,
    dry_run: bool = False,
    wishes: Wishes = Wishes(),
    wait: bool = False,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Store a job to be run, or with --file one for each line.

    Args:
        type: which kind of job; `jobmill types` lists them.
        json: the payload, a JSON object; {} by default.
        payload_file: read the payload from a file, - for standard input.
        file: a job for each line, which is its payload, - for standard input; all options hold for all lines.
            Again, it goes on: a line makes one job within 7 days, or until that is finished, however often.
            The same lines under another --idempotency-key are other jobs.
        rejected: where lines go that are refused, each with the reasons; FILE.rejected by default.
        dry_run: with --file, check the lines and store nothing.
        wishes: options of the job.
        wait: follow the job to its end; exit code 3 unless it succeeds.
        as_json: print the job as one line of JSON, or of a file what came of it.
    """
    if file is not None:
        _check_with_file(json=json, payload_file=payload_file, unique=wishes.unique, wait=wait)
        request = {"type": type, **wishes.fields()}
        return await _submit_file(file, request, rejected, dry_run=dry_run, as_json=as_json)
    if rejected is not None or dry_run:
        raise WrongUse("--rejected and --dry-run go with --file alone")
    from jobmill.entrypoints.container import declared_registry

    request = {"type": type, "payload": payload_given(json, payload_file), **wishes.fields()}
    settings, screen = read_settings(), Screen()
    async with open_services(settings, declared_registry(settings), announce=True) as services:
        [accepted] = await services.submitter().submit([read_submit(request)])
        warn_unannounced(settings, services, screen)
        if not wait:
            _show(accepted, screen, as_json=as_json)
            return Exit.DONE
        inspector, job_id = services.inspector(), accepted.job.id
        following = Following(
            look=lambda: inspector.story(job_id),
            say=(lambda _: None) if as_json else screen.say,
            note=screen.note,
            columns=screen.columns,
            pause=pause,
        )
        try:
            job = await following.to_the_end(accepted.job)
        except (asyncio.CancelledError, Unavailable):
            screen.note(f"no longer waiting; the job goes on: `jobmill job {job_id}`")
            raise
        if as_json:
            _show(Accepted(job=job, replayed=accepted.replayed), screen, as_json=True)
        return Exit.DONE if job.state is JobState.SUCCEEDED else Exit.NOT_SUCCEEDED


async def _submit_file(
    file: str, request: Mapping[str, object], rejected: str | None, *, dry_run: bool, as_json: bool
) -> int:
    from jobmill.entrypoints.cli.submit_file import FileOrder, submit_file

    return await submit_file(
        FileOrder(file=file, request=request, rejected=rejected, is_dry=dry_run, as_json=as_json)
    )


def _check_with_file(**others: object) -> None:
    """A file has the payloads; and of one key that all lines share, all but one would be refused."""
    words = {"json": "JSON", "payload_file": "--payload-file", "unique": "--unique", "wait": "--wait"}
    if given := [words[name] for name, value in others.items() if value not in (None, False)]:
        raise WrongUse(f"--file goes not together with {' and '.join(given)}")


def _seconds(duration: Duration | None) -> float | None:
    return None if duration is None else float(duration)


def _show(accepted: Accepted, screen: Screen, *, as_json: bool) -> None:
    job = accepted.job
    if as_json:
        screen.json(encode(job_view(job)))
        return
    again = "   (an earlier request under the same key made it)" if accepted.replayed else ""
    screen.say(f"{job.id}  {job.state.value}{again}")
