"""Which rule holds for which file of the repository."""

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from tests.tidy import rules

ROOMS: Final = ("domain", "application", "adapters", "entrypoints")
WRITTEN_IN_PYTHON: Final = (*ROOMS, "src", "tests", "examples", "benchmarks", "deploy")

# Not ours, or made by tools.
SKIPPED: Final = frozenset(
    {
        ".git",
        ".hypothesis",
        ".import_linter_cache",
        ".jobmill",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".venv",
        "__pycache__",
        "build",
        "dist",
        "htmlcov",
        "node_modules",
        "swagger-ui",  # entrypoints/http/static/swagger-ui: published files, as they came
    }
)


def faults_in(root: Path) -> list[str]:
    """Every broken rule in the repository at ``root``, as ``path: fault``."""
    return [
        f"{path}: {fault}"
        for path in sorted(_files(root))
        for fault in faults_of(path, (root / path).read_bytes())
    ]


def faults_of(path: PurePosixPath, content: bytes) -> Iterator[str]:
    """What is wrong with one file, its path given from the root of the repository."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return
    yield from rules.put_off(text)
    yield from rules.tied_to_a_machine(text)
    yield from rules.tied_to_a_registry(text)
    if path.suffix == ".py" and path.parts[0] in WRITTEN_IN_PYTHON:
        yield from _faults_of_python(path, text)


def _faults_of_python(path: PurePosixPath, text: str) -> Iterator[str]:
    tree = ast.parse(text)
    yield from rules.vaguely_named(path)
    yield from rules.too_long(text)
    yield from rules.without_docstring(tree)
    yield from rules.sleeping(tree)
    if path.parts[0] in (*ROOMS, "src"):
        if path.parts[:2] != ("entrypoints", "cli"):
            yield from rules.printing(tree)
        if path.parts[:2] != ("adapters", "system"):
            yield from rules.asking_clock_or_chance(tree)


def _files(root: Path) -> Iterator[PurePosixPath]:
    """All files below ``root``, each once: links are not followed."""
    for entry in root.iterdir():
        if entry.name in SKIPPED or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from (PurePosixPath(entry.name) / below for below in _files(entry))
        else:
            yield PurePosixPath(entry.name)
