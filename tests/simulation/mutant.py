"""What a mutant is: a change of the real code, and who has to find it."""

from attrs import frozen


@frozen(kw_only=True)
class Seeds:
    """The simulation, from the first seed on, up to so many."""

    most: int

    def __str__(self) -> str:
        return f"simulation, {self.most} seeds"


@frozen(kw_only=True)
class Test:
    """A test by its file and name."""

    __test__ = False  # no class of tests

    file: str
    name: str

    def __str__(self) -> str:
        return f"`{self.file}::{self.name}`"


@frozen(kw_only=True)
class Mutant:
    """One change of one file that opens a hole again.

    Args:
        hole: what the protocol's rule is there for, in a few words.
        file, old, new: the change; ``old`` occurs once in the file.
        killer: what has to fail with it.
    """

    hole: str
    rules: str
    file: str
    old: str
    new: str
    killer: Seeds | Test
