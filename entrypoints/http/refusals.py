"""What only this entrance refuses."""

from typing import Final
from uuid import UUID

from jobmill.domain.errors import JobmillError
from jobmill.domain.states import JobState

_SHOWN_CHARS: Final = 60


class NoSuchId(JobmillError):
    """The path names something that is no id."""

    code = "job-not-found"

    def __init__(self, text: str) -> None:
        shown = text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
        super().__init__(f"nothing has the id {shown!r}: an id is a UUID of 36 characters")


class UnsupportedMediaType(JobmillError):
    """The body is not what this entrance reads."""

    code = "unsupported-media-type"


class Incomplete(JobmillError):
    """The client went away in the middle of its request."""

    code = "bad-request"


class NotDead(JobmillError):
    """The id is that of a job which is no dead letter."""

    code = "job-not-found"

    def __init__(self, job_id: UUID, state: JobState) -> None:
        super().__init__(f"job {job_id} is no dead letter: it is {state.value}")
