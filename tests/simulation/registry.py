"""The kinds of moves: how each is drawn from chance, and how it is played."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

if TYPE_CHECKING:
    from tests.simulation.stage import Stage

Draw = Callable[[Random], dict[str, Any]]
Play = Callable[..., None]


@frozen(kw_only=True)
class Kind:
    """One kind of move."""

    draw: Draw
    play: Play


#: What goes wrong, and what clients and operators ask for, by name.
FAULTS: Final[dict[str, Kind]] = {}
REQUESTS: Final[dict[str, Kind]] = {}


def fault(draw: Draw) -> Callable[[Play], Play]:
    """Declare a fault; its values are drawn by ``draw``, and it is named as its function."""
    return _into(FAULTS, draw)


def request(draw: Draw) -> Callable[[Play], Play]:
    """Declare something that is asked for."""
    return _into(REQUESTS, draw)


def _into(kinds: dict[str, Kind], draw: Draw) -> Callable[[Play], Play]:
    def declare(play: Play) -> Play:
        kinds[play.__name__] = Kind(draw=draw, play=play)
        return play

    return declare


def play(stage: "Stage", kind: str, what: dict[str, Any]) -> None:
    """Make a move now. It returns at once; what takes time goes on by itself."""
    known = FAULTS.get(kind) or REQUESTS[kind]
    known.play(stage, **what)
