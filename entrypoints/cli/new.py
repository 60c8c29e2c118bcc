"""The command ``new``: a small working project in a folder of its own."""

import os
import re
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from typing import Final

from jobmill.application.errors import SetupFault
from jobmill.entrypoints.cli.exits import WrongUse
from jobmill.entrypoints.cli.screen import Screen

#: The files of a project, each with a suffix that keeps tools from taking it for what it will be.
TEMPLATE: Final = Path(__file__).with_name("project_template")
SUFFIX: Final = ".template"
NAME_CHARS_MAX: Final = 50

_NAME: Final = re.compile(rf"[a-z][a-z0-9_]{{0,{NAME_CHARS_MAX - 1}}}")
_PLACEHOLDER: Final = "@NAME@"
#: Files and folders that are called otherwise in the template, where their own names would have an effect.
_CALLED: Final = {"gitignore": ".gitignore"}


class CannotMakeProject(SetupFault):
    """The folder is taken or cannot be written; nothing was made."""

    code = "cannot-make-project"


def new(name: str, /) -> None:
    """Make a small working project: handlers, tests, settings, README.

    Args:
        name: the project's folder and Python package, as in shop.
    """
    check_name(name)
    files = make_project(name, Path())
    screen = Screen()
    screen.say(f"made {name}/: {'  '.join(files)}")
    screen.lines(next_commands(name, Path(sys.argv[0])))


def check_name(name: str) -> None:
    """Refuse what cannot be a package of the user's own; raises ``WrongUse`` with the mend."""
    shape = f"must be 1 to {NAME_CHARS_MAX} small letters, digits and underscores, a letter first"
    if not _NAME.fullmatch(name):
        near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        hint = f"; did you mean {near}?" if _NAME.fullmatch(near) else ""
        raise WrongUse(f"NAME {name[:60]!a} {shape}{hint}")
    if iskeyword(name):
        raise WrongUse(f"NAME {name!a} is a word of the language itself; choose another")
    if name in {"tests", "jobmill"} or name in sys.stdlib_module_names or _is_installed(name):
        raise WrongUse(f"NAME {name!a} is a module already, and would hide it; choose another")


def make_project(name: str, place: Path) -> Sequence[str]:
    """Make the folder ``name`` in ``place``, whole or not at all.

    Returns:
        The paths of its files, from the folder itself.

    Raises:
        CannotMakeProject: says why; what was begun is gone.
    """
    target = place / name
    if target.is_symlink() or (target.exists() and not _is_empty_folder(target)):
        raise CannotMakeProject(f"{target} is there already; choose another name, or remove it")
    begun = place / f".{name}.{os.getpid()}.new"
    try:
        begun.mkdir()
        try:
            files = _write(name, begun)
            # Onto an empty folder, too, and onto no other: the system looks at that in the same moment.
            begun.rename(target)
        finally:
            shutil.rmtree(begun, ignore_errors=True)
    except OSError as error:
        raise CannotMakeProject(f"{target} cannot be made: {error.strerror}") from None
    return files


def next_commands(name: str, program: Path) -> Sequence[str]:
    """Return what to type next, ready to be copied.

    Args:
        program: how the command line itself was called.
    """
    jobmill = "jobmill"
    on_path = shutil.which(jobmill)
    if program.is_file() and (on_path is None or not program.samefile(on_path)):
        jobmill = min(os.path.relpath(program, name), str(program.absolute()), key=len)
    payload = """'{"picture": "a.png"}'"""
    return [
        f"  cd {name}",
        f"  {jobmill} up --reload",
        f"then, in a second terminal in {name}/",
        f"  {jobmill} submit thumbnail.make {payload} --wait",
        "more in README.md",
    ]


def _write(name: str, folder: Path) -> Sequence[str]:
    files = []
    for source in sorted(TEMPLATE.rglob(f"*{SUFFIX}")):
        within = source.relative_to(TEMPLATE).with_suffix("")
        parts = [{**_CALLED, "package": name}.get(part, part) for part in within.parts]
        target = folder.joinpath(*parts)
        target.parent.mkdir(exist_ok=True)
        target.write_text(source.read_text(encoding="utf-8").replace(_PLACEHOLDER, name), encoding="utf-8")
        files.append("/".join(parts))
    return files


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _is_installed(name: str) -> bool:
    """Whether another module of this name would be found, the working directory aside."""
    try:
        spec = find_spec(name)
    except ValueError:  # loaded, and nobody knows from where
        return True
    if spec is None:
        return False
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
    return not all(Path(place).is_relative_to(Path.cwd()) for place in places)
