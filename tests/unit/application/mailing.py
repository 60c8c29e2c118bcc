"""Two types of job, and short words for asking a submitter for them."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from attrs import define

from jobmill.application.commands import SubmitJob
from jobmill.application.handlers import JobHandlers
from jobmill.application.submitter import Submitter
from jobmill.domain.errors import InvalidInput
from jobmill.domain.options import JobOptions
from jobmill.domain.states import Priority

handlers = JobHandlers()


@define
class Mail:
    to: str
    text: str = ""


@handlers.register("mail", queue="email", priority=Priority.HIGH, ttl=timedelta(hours=1))
async def send(mail: Mail) -> None:
    """Never called here."""


@handlers.register("note")
async def note(_payload: Mapping[str, object]) -> None:
    """Never called here."""


def mail(to: object = "ada", **options: object) -> SubmitJob:
    return SubmitJob(type="mail", payload={"to": to}, options=JobOptions(**options))  # type: ignore[arg-type]


async def refused(submitter: Submitter, *commands: SubmitJob, pointer: str = "/{at}") -> InvalidInput:
    with pytest.raises(InvalidInput) as error:
        await submitter.submit(commands, pointer=pointer)
    return error.value


async def places(submitter: Submitter, *commands: SubmitJob, pointer: str = "/{at}") -> list[str]:
    return [fault.pointer for fault in (await refused(submitter, *commands, pointer=pointer)).faults]
