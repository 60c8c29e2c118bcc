"""Finding the user's handlers by the names of their modules."""

import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from jobmill.application.errors import SetupFault
from jobmill.application.handlers import JobHandlers


class HandlersNotFound(SetupFault):
    """A module cannot be imported, or it declares no handlers."""

    code = "handlers-not-found"


def load_handlers(names: Iterable[str]) -> list[JobHandlers]:
    """Import the modules and return their collections of handlers.

    Args:
        names: ``package.module`` takes every ``JobHandlers`` of the module, ``package.module:name`` one.
            The working directory is searched first, as by ``python -m``.

    Raises:
        HandlersNotFound: says which name and why.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    found = [collection for name in names for collection in _load(name)]
    return list({id(collection): collection for collection in found}.values())


def _load(name: str) -> list[JobHandlers]:
    module_name, _, attribute = name.partition(":")
    module = _import(module_name)
    if attribute:
        value = getattr(module, attribute, None)
        if not isinstance(value, JobHandlers):
            raise HandlersNotFound(f"JOBMILL_HANDLERS: {attribute!r} in {module_name!r} is no JobHandlers")
        return [value]
    collections = list(_declared(module))
    if not collections:
        mend = "handlers = JobHandlers()"
        raise HandlersNotFound(f"JOBMILL_HANDLERS: {module_name!r} declares no handlers; it needs {mend!r}")
    return collections


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            looked = f"looked in {Path.cwd()} and the installed packages"
            raise HandlersNotFound(f"JOBMILL_HANDLERS: no module {name!r}; {looked}") from None
        raise HandlersNotFound(
            f"JOBMILL_HANDLERS: {name!r} needs {error.name!r}, which is missing"
        ) from error
    except SyntaxError as error:
        place = f"{error.filename}, line {error.lineno}"
        raise HandlersNotFound(
            f"JOBMILL_HANDLERS: {name!r} cannot be imported: {error.msg} ({place})"
        ) from error
    except ImportError as error:
        raise HandlersNotFound(f"JOBMILL_HANDLERS: {name!r} cannot be imported: {error}") from error


def _declared(module: ModuleType) -> Iterator[JobHandlers]:
    return (value for value in vars(module).values() if isinstance(value, JobHandlers))
