"""The table ``[tool.jobmill]`` in a ``pyproject.toml``: settings that stand below the environment."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

FILE: Final = "pyproject.toml"
TABLE: Final = "[tool.jobmill]"
#: A file of settings is read by people; a larger one is something else.
FILE_BYTES_MAX: Final = 1_048_576
_NUMBER_MAX: Final = 10**18


class UnreadableProject(Exception):
    """The file cannot be read, or the table is none; the message names the file and the mend."""


def read_table(folder: Path) -> Mapping[str, Any]:
    """Return the table as it stands, its values as TOML has them.

    Args:
        folder: only this one is looked into, none above it.

    Returns:
        Nothing if there is no such file, or no such table in it.

    Raises:
        UnreadableProject: it is too large, no TOML, or not to be read.
    """
    tool = _document(folder / FILE).get("tool", {})
    table = tool.get("jobmill", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UnreadableProject(f"{FILE}: tool.jobmill must be a table, as in {TABLE}")
    return table


def text_of(value: object, *, kind: object, is_list: bool) -> str:
    """Return a value of the table as it would stand in the environment.

    Args:
        kind: the type of the setting, such as ``int | None``.
        is_list: it takes several texts.

    Returns:
        An empty text, which counts as unset, for an empty text or list.

    Raises:
        ValueError: the value is of another kind; says which is right.
    """
    if isinstance(value, str):
        return value
    if kind is bool and isinstance(value, bool):
        return str(int(value))
    if kind in {int, int | None}:
        if isinstance(value, int) and not isinstance(value, bool):
            # One of thousands of digits could not even be written out.
            return str(value) if abs(value) <= _NUMBER_MAX else "too large"
        raise ValueError("must be a whole number")
    if is_list:
        if isinstance(value, list) and all(isinstance(part, str) and "," not in part for part in value):
            return ",".join(value)
        raise ValueError('must be a list of texts without commas, as in ["one", "two"]')
    raise ValueError("must be true or false" if kind is bool else "must be a text")


def _document(path: Path) -> Mapping[str, Any]:
    try:
        if not path.is_file():
            return {}
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise UnreadableProject(f"{FILE}: cannot be read: {error.strerror}") from None
    if len(content) > FILE_BYTES_MAX:
        raise UnreadableProject(f"{FILE}: must have at most {FILE_BYTES_MAX:,} bytes")
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise UnreadableProject(f"{FILE}: must be UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise UnreadableProject(f"{FILE}: is no TOML: {error}") from None
    except (ValueError, RecursionError):
        # A number of thousands of digits, or brackets within brackets without end.
        raise UnreadableProject(f"{FILE}: holds a number too long, or is nested too deep") from None
