"""What people call the kinds of JSON values."""

from typing import Final

_WORDS: Final = {
    str: "a text",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    type(None): "null",
    dict: "an object",
}


def kind_of(value: object) -> str:
    """Return the words for the kind of a value that was read from JSON."""
    return _WORDS.get(type(value), "a list")
