"""The rules for one Python file or one text: each takes what it reads and yields what is wrong with it."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

LINES_MAX: Final = 300

# A file so called collects what belongs to nobody.
VAGUE_NAMES: Final = frozenset({"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"})

# Modules and functions from which time and chance come; adapters/system alone may ask them.
CHANCE_MODULES: Final = ("random", "secrets")
SEEDED: Final = "random.Random"  # with a seed it is no chance: the same numbers every time
CLOCK_AND_CHANCE: Final = frozenset(
    {
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "os.urandom",
        "time.time",
        "time.time_ns",
        "uuid.uuid1",
        "uuid.uuid4",
        "uuid.uuid7",
    }
)

_FROM_CHANCE_MODULES: Final = tuple(f"{module}." for module in CHANCE_MODULES)

# Spelled in pieces, so that this file keeps its own rules.
_LATER: Final = re.compile("|".join((r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bX{3}\b")))
_MACHINE_PATH: Final = re.compile(r"(?<![\w.:/~-])/(?:home/\w|Users/\w|root(?!\w)|work(?!\w))")
_REGISTRY_HOST: Final = re.compile(
    "|".join(
        rf"\b{name}\.{domain}\b"
        for name, domain in (
            (r"(?:test\.)?pypi", "org"),
            (r"files\.python" + "hosted", "org"),
            (r"registry\.(?:npmjs|yarnpkg)", "(?:org|com)"),
            (r"(?:deb|security)\.debian", "org"),
            (r"(?:static|index)\.crates", "io"),
            (r"proxy\.golang", "org"),
        )
    )
)


def too_long(text: str) -> Iterator[str]:
    """A file is read in one go, or it is two files."""
    lines = text.count("\n")
    if lines > LINES_MAX:
        yield f"has {lines} lines, at most {LINES_MAX} are allowed"


def vaguely_named(path: PurePosixPath) -> Iterator[str]:
    """A module is named for one concept."""
    for name in (*path.parts[:-1], path.stem):
        if name in VAGUE_NAMES:
            yield f"`{name}` says nothing about what is in it"


def put_off(text: str) -> Iterator[str]:
    """What is not done is an issue, not a comment."""
    yield from _found(_LATER, text, "puts work off")


def tied_to_a_machine(text: str) -> Iterator[str]:
    """A path of somebody's machine is of no use on another."""
    yield from _found(_MACHINE_PATH, text, "names a path of one machine")


def tied_to_a_registry(text: str) -> Iterator[str]:
    """Where packages come from is for the installing machine's own settings to say."""
    yield from _found(_REGISTRY_HOST, text, "names a package registry")


def without_docstring(tree: ast.Module) -> Iterator[str]:
    """A file says first what it is for."""
    if ast.get_docstring(tree) is None:
        yield "does not begin with a docstring"


def sleeping(tree: ast.Module) -> Iterator[str]:
    """A thread that sleeps holds up the loop, or a shutdown."""
    for name, line in _uses(tree):
        if name == "time.sleep":
            yield f"line {line}: sleeps"


def printing(tree: ast.Module) -> Iterator[str]:
    """Only the command line talks to a terminal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"line {node.lineno}: prints"


def asking_clock_or_chance(tree: ast.Module) -> Iterator[str]:
    """Time and chance come through the ports, or a test cannot set them."""
    for name, line in _uses(tree):
        if name in CLOCK_AND_CHANCE or (name.startswith(_FROM_CHANCE_MODULES) and name != SEEDED):
            yield f"line {line}: takes time or chance from `{name}`"
    names = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not node.args and _full_name(node.func, names) == SEEDED:
            yield f"line {node.lineno}: takes chance from `{SEEDED}` without a seed"


def _found(pattern: re.Pattern[str], text: str, fault: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        if match := pattern.search(line):
            yield f"line {number}: {fault}: {match.group()}"


def _uses(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The full names of what is imported and used, whatever it is called here, each with its line."""
    names = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno
        elif isinstance(node, ast.Attribute) and (name := _full_name(node, names)):
            yield name, node.lineno


def _imported(tree: ast.Module) -> dict[str, str]:
    """What each imported name of this file stands for: ``from datetime import datetime as d`` binds ``d``."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
            names |= {first: first for alias in node.names if (first := alias.name.partition(".")[0])}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _full_name(node: ast.expr, names: dict[str, str]) -> str | None:
    """``datetime.datetime.now`` for ``d.now``; None for what was not imported, such as a parameter."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute) and (owner := _full_name(node.value, names)):
        return f"{owner}.{node.attr}"
    return None
