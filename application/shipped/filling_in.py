"""What messages have in common that may name a template instead of bringing their words."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import frozen

from jobmill.application.handlers import PermanentFailure
from jobmill.application.ports.templates import Rendered, TemplateFault, Templates

#: A template's name; it becomes part of a file's, so there is nothing in it that leads elsewhere.
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


@frozen(kw_only=True)
class NoTemplates(Templates):
    """Where no folder of templates is set."""

    async def render(self, name: str, values: Mapping[str, Any]) -> Rendered:
        """Refuse."""
        raise TemplateFault(f"this worker has no templates, not even {name}: set JOBMILL_TEMPLATES")


def template_faults(
    template: str | None, values: Mapping[str, Any] | None, *, words: Mapping[str, str | None]
) -> Iterator[str]:
    """Say what is wrong with the fields ``template`` and ``values``.

    Args:
        words: by name, the fields in which a message brings its own words.
    """
    if template is None:
        if values is not None:
            yield "'values' go with a template: name it"
        return
    if not NAME.fullmatch(template):
        yield "'template' must be the name of a template: small letters, digits, dashes and underscores"
    for name, text in words.items():
        if text is not None:
            yield f"'{name}' cannot go with a template, which brings its own words"


async def filled_in(templates: Templates, template: str, values: Mapping[str, Any] | None) -> Rendered:
    """Return a template filled in, at the time of sending: a template that was mended serves a requeued job.

    Raises:
        PermanentFailure: there is none of the name, or a value is missing.
    """
    try:
        return await templates.render(template, values or {})
    except TemplateFault as error:
        raise PermanentFailure(str(error)) from error


def checked(text: str, *, template: str, what: str, chars_max: int) -> str:
    """Return what a template became, if it has 1 to so many characters; else raise ``PermanentFailure``."""
    if 1 <= len(text) <= chars_max:
        return text
    raise PermanentFailure(
        f"the template {template} gives {what} of {len(text):,} characters; 1 to {chars_max:,} can be sent"
    )
