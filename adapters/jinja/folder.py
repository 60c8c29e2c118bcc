"""A folder of templates: ``welcome.txt`` is a body, ``welcome.subject.txt`` the subject that goes with it."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateNotFound
from jinja2.sandbox import SandboxedEnvironment

from jobmill.application.errors import WrongAddress
from jobmill.application.ports.templates import Rendered, TemplateFault, Templates

#: What a filled-in template may have; a loop in it would fill memory else.
TEXT_CHARS_MAX: Final = 100_000
#: Templates kept compiled.
_COMPILED_MAX: Final = 400


@frozen(kw_only=True)
class JinjaTemplates(Templates):
    """Reads a template when it is first used, and again once its file has changed."""

    environment: Environment

    async def render(self, name: str, values: Mapping[str, Any]) -> Rendered:
        """Fill in, in a thread: files are read, and a large template takes a while."""
        return await asyncio.to_thread(self._render, name, values)

    def _render(self, name: str, values: Mapping[str, Any]) -> Rendered:
        body = self._text(f"{name}.txt", values)
        try:
            subject = self._text(f"{name}.subject.txt", values)
        except _NoTemplate:
            return Rendered(subject=None, body=body)
        return Rendered(subject=" ".join(subject.split()), body=body)

    def _text(self, file: str, values: Mapping[str, Any]) -> str:
        try:
            template = self.environment.get_template(file)
        except TemplateNotFound:
            raise _NoTemplate(f"there is no template {file} in the folder of JOBMILL_TEMPLATES") from None
        except TemplateError as error:
            raise TemplateFault(f"the template {file} cannot be read: {error.message}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise TemplateFault(f"the template {file} cannot be read: {type(error).__name__}") from None
        return _filled_in(template, file, values)


class _NoTemplate(TemplateFault):
    """There is no file of that name."""


def open_templates(folder: Path) -> JinjaTemplates:
    """Return the templates of a folder; raises ``WrongAddress`` if there is no such folder."""
    if not folder.is_dir():
        raise WrongAddress(f"JOBMILL_TEMPLATES: there is no folder {folder}; make it, or name another")
    return JinjaTemplates(
        environment=SandboxedEnvironment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=False,
            cache_size=_COMPILED_MAX,
        )
    )


def _filled_in(template: Template, file: str, values: Mapping[str, Any]) -> str:
    try:
        return _bounded(template.generate(dict(values)), file)
    except TemplateError as error:
        raise TemplateFault(f"the template {file} cannot be filled in: {error.message}") from None
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise TemplateFault(f"the template {file} cannot be filled in: {type(error).__name__}") from None


def _bounded(pieces: Iterable[str], file: str) -> str:
    text = ""
    for piece in pieces:
        text += piece
        if len(text) > TEXT_CHARS_MAX:
            raise TemplateFault(f"the template {file} becomes longer than {TEXT_CHARS_MAX:,} characters")
    return text
