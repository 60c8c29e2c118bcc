"""How fields stand in a line that a person reads."""

from collections.abc import Mapping


def pairs(fields: Mapping[str, object]) -> str:
    """Return fields as ``key=value key=value``, in their order and in one line."""
    return " ".join(f"{name}={_plain(value)}" for name, value in fields.items())


def _plain(value: object) -> str:
    """One word as it is; anything that would blur the line, or break it, in quotes with escapes."""
    text = "-" if value is None else str(value)
    is_word = text.isprintable() and text != "" and not any(mark in text for mark in " =\"'")
    return text if is_word else repr(text)
