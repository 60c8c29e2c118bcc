"""Telephone numbers as providers take them."""

import re
from typing import Final

#: The form of E.164: a plus, a country that does not begin with 0, 15 digits at most.
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def number_fault(number: str) -> str | None:
    """Say what is wrong with a number; None if it can be called."""
    if _NUMBER.fullmatch(number):
        return None
    return "must be a number in international form, as in +15550100123: a plus and 7 to 15 digits"
