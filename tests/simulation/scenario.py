"""What one run is made of: a few workers, and moves with their times. Plain values, so it can be cut."""

from datetime import timedelta
from random import Random
from typing import Any, Final

from attrs import frozen

#: Seeds differ in what they do, and in how much of it.
LENGTHS_S: Final = (5.0, 12.0, 25.0, 45.0)
SKEWS_S: Final = ((0.0,), (0.0,), (0.4, -0.4), (20.0, 0.0, -20.0))
KINDS_MAX: Final = 9
#: Each lane more is something to read in every worker, so few seeds have them.
SHARES: Final = (1, 1, 1, 2)
#: Those that find most come beside the others.
OFTEN: Final = ("statements", "freeze", "publishing", "stop")


@frozen(kw_only=True)
class Move:
    """Something that the adversary, a client or an operator does at a time.

    Args:
        at_s: seconds after the start.
        kind: the name of the move, a key of `moves.MOVES`.
        what: its values, drawn with it.
    """

    at_s: float
    kind: str
    what: dict[str, Any]

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.what.items())
        return f"{self.at_s:8.3f} s  {self.kind}({values})"


@frozen(kw_only=True)
class Scenario:
    """A run, before it is played. The same scenario takes the same course every time."""

    seed: int
    workers: int
    concurrency: int
    parcel_jobs: int
    grace_s: float
    length_s: float
    #: How far each process is off the store's time, in turn; seconds.
    skews_s: tuple[float, ...] = (0.0,)
    #: Of each lane of the queue ``default``; it is a fair one with more than one.
    shares: int = 1
    moves: tuple[Move, ...]

    def skew(self, number: int) -> timedelta:
        """Return how far a process is off."""
        return timedelta(seconds=self.skews_s[number % len(self.skews_s)])

    def __str__(self) -> str:
        head = (
            f"seed {self.seed}: {self.workers} workers with {self.concurrency} slots, parcels of"
            f" {self.parcel_jobs}, {self.grace_s:g} s of grace, {self.length_s:g} s, off {self.skews_s},"
            f" lanes of {self.shares}"
        )
        return "\n".join([head, *map(str, self.moves)])


def draw(seed: int) -> Scenario:
    """Make the scenario of a seed: jobs always, and only a few kinds of faults, so that each gets room."""
    from tests.simulation.moves import FAULTS, REQUESTS

    dice = Random(seed)
    length_s = dice.choice(LENGTHS_S)
    moves = [
        Move(at_s=_early(dice, length_s), kind="submit", what=REQUESTS["submit"].draw(dice))
        for _ in range(dice.randint(2, 6))
    ]
    for kind in (each for each in sorted(REQUESTS) if each != "submit"):
        count = dice.choice((0, 0, 1, 3))
        moves += [_move(dice, length_s, kind, REQUESTS[kind].draw(dice)) for _ in range(count)]
    for kind in dice.sample(sorted(FAULTS), dice.randint(0, KINDS_MAX)):
        count = dice.choice((1, 2, 4, 6))
        moves += [_move(dice, length_s, kind, FAULTS[kind].draw(dice)) for _ in range(count)]
    for kind in OFTEN:
        count = dice.choice((0, 0, 1, 3))
        moves += [_move(dice, length_s, kind, FAULTS[kind].draw(dice)) for _ in range(count)]
    return Scenario(
        seed=seed,
        workers=dice.randint(1, 3),
        concurrency=dice.choice((1, 2, 10)),
        parcel_jobs=dice.choice((2, 50)),
        grace_s=dice.choice((0.0, 2.0, 25.0)),
        skews_s=dice.choice(SKEWS_S),
        length_s=length_s,
        shares=dice.choice(SHARES),
        moves=tuple(sorted(moves, key=lambda move: move.at_s)),
    )


def _move(dice: Random, length_s: float, kind: str, what: dict[str, Any]) -> Move:
    return Move(at_s=round(dice.uniform(0, length_s), 3), kind=kind, what=what)


def _early(dice: Random, length_s: float) -> float:
    """Most work comes first, so that the faults meet it."""
    return round(dice.uniform(0, length_s) * dice.random(), 3)
