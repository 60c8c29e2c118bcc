"""Rounds: repetitions, interleaved among the contenders, and repeated where the machine was disturbed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from attrs import define, frozen

from benchmarks.children import Failed
from benchmarks.samples import Sample

#: Times that a round is played again because strangers used the machine.
AGAIN_MAX: Final = 2


@define
class Patience:
    """How often a run may repeat what was disturbed: a machine that is never calm must not hold it up."""

    left: int

    def take(self) -> bool:
        """Whether one more repetition is granted."""
        self.left -= 1
        return self.left >= 0


@frozen(kw_only=True)
class Round:
    """One measurement of one contender.

    Args:
        case: as in its samples; for the report of one that fails.
        play: measures once.
    """

    measure: str
    contender: str
    case: str
    play: Callable[[], Awaitable[Sample | Sequence[Sample]]]


async def played(rounds: Sequence[Round], *, repetitions: int, patience: Patience) -> AsyncIterator[Sample]:
    """Yield the samples of all rounds, each once, then each a second time, and so on.

    A round that fails yields a sample that says so, and is not tried again; the others go on.
    """
    failed: set[int] = set()
    again = dict.fromkeys(range(len(rounds)), AGAIN_MAX)
    for _ in range(repetitions):
        for number, each in enumerate(rounds):
            if number in failed:
                continue
            samples = await _tried(each)
            while any(sample.is_disturbed for sample in samples) and again[number] and patience.take():
                again[number] -= 1
                for sample in samples:
                    yield sample
                samples = await _tried(each)
            for sample in samples:
                yield sample
            if all(sample.refused for sample in samples):
                failed.add(number)


async def _tried(each: Round) -> Sequence[Sample]:
    """Play a round; whatever goes wrong in it is its sample."""
    try:
        played = await each.play()
    except (Failed, OSError) as error:
        why = str(error) or repr(error)
        return [Sample(measure=each.measure, contender=each.contender, case=each.case, refused=why)]
    except Exception as error:  # noqa: BLE001 - a contender's fault must not end the others' run
        why = f"{type(error).__name__}: {error}"
        return [Sample(measure=each.measure, contender=each.contender, case=each.case, refused=why)]
    return [played] if isinstance(played, Sample) else list(played)
