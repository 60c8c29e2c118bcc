"""The commands that move jobs by hand: cancel, requeue, discard."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

from jobmill.application.errors import JobNotFound, Unavailable
from jobmill.domain.errors import JobmillError
from jobmill.domain.job import Job
from jobmill.domain.states import JobState
from jobmill.entrypoints.cli.exits import Exit, WrongUse, ending_of
from jobmill.entrypoints.cli.payloads import read_payload
from jobmill.entrypoints.cli.screen import Screen
from jobmill.entrypoints.cli.session import open_services, read_settings, warn_unannounced

Ids = Annotated[UUID, Parameter(name="ID", required=True)]


async def cancel(*ids: Ids) -> int:
    """Take waiting jobs back; ask running ones to stop.

    Args:
        ids: one or more jobs.
    """
    async with open_services(read_settings()) as services:
        operator = services.operator()

        async def take_back(job_id: UUID) -> str:
            return _as_it_stands(await operator.cancel(job_id))

        return await _each(ids, take_back)


async def requeue(*ids: Ids, payload: str | None = None) -> int:
    """Start dead or cancelled jobs over, with fresh attempts.

    Args:
        ids: one or more jobs.
        payload: an edited payload, a JSON object; for a single job.
    """
    from jobmill.entrypoints.container import declared_registry

    if payload is not None and len(ids) > 1:
        raise WrongUse("--payload is for a single job")
    edited = None if payload is None else read_payload(payload.encode("utf-8", "surrogateescape"))
    settings = read_settings()
    async with open_services(settings, declared_registry(settings), announce=True) as services:
        operator = services.operator()

        warn_unannounced(settings, services, Screen())

        async def start_over(job_id: UUID) -> str:
            return _as_it_stands(await operator.requeue(job_id, payload=edited))

        return await _each(ids, start_over)


async def discard(*ids: Ids) -> int:
    """Put dead letters away for good.

    Args:
        ids: one or more jobs, or messages in quarantine.
    """
    async with open_services(read_settings()) as services:
        operator = services.operator()

        async def put_away(letter_id: UUID) -> str:
            try:
                return _as_it_stands(await operator.discard(letter_id))
            except JobNotFound:
                await operator.drop(letter_id)
                return "discarded"

        return await _each(ids, put_away)


async def _each(ids: Sequence[UUID], move: Callable[[UUID], Awaitable[str]]) -> int:
    """Move one after the other and print how each stands; one that refuses does not keep the others."""
    screen, code = Screen(), Exit.DONE
    for one in dict.fromkeys(ids):
        try:
            screen.say(f"{one}  {await move(one)}")
        except Unavailable:
            raise
        except JobmillError as error:
            code = Exit.REFUSED
            for line in ending_of(error).lines:
                screen.note(f"jobmill: {line}")
    return code


def _as_it_stands(job: Job) -> str:
    return job.state.value + (", asked to stop" if job.state is JobState.PROCESSING else "")
