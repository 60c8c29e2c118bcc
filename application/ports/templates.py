"""Texts that are written once and filled in for each message."""

from collections.abc import Mapping
from typing import Any, Protocol

from attrs import frozen

from jobmill.domain.errors import JobmillError


class TemplateFault(JobmillError):
    """There is no such template, it cannot be read, or a value is missing; the message names it."""

    code = "template-fault"


@frozen(kw_only=True)
class Rendered:
    """A filled-in template.

    Args:
        subject: None if the template has none.
    """

    subject: str | None
    body: str


class Templates(Protocol):
    """Templates by name."""

    async def render(self, name: str, values: Mapping[str, Any]) -> Rendered:
        """Return the template filled in with values.

        Args:
            name: as ``NAME`` of the shipped types allows it; never a path.

        Raises:
            TemplateFault: it cannot be filled in with these values.
        """
        ...
