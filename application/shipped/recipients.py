"""Fields that may come under several names, of which exactly one is to be given."""

from collections.abc import Iterator, Mapping


def one_of_names(values: Mapping[str, object | None], *, what: str) -> Iterator[str]:
    """Say what is wrong if none or several are given.

    Args:
        values: by name, the usual one first; None is not given.
        what: the thing itself, for people.
    """
    given = [name for name, value in values.items() if value is not None]
    usual, *others = values
    if not given:
        also = f"; it may be called {' or '.join(others)} as well" if others else ""
        yield f"'{usual}' is required: {what}{also}"
    for name in given[1:]:
        yield f"'{name}' means the same as {given[0]}: give one of them"
