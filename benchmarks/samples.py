"""Samples: what one repetition of one measurement gave, or why it gave nothing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Self

from attrs import Factory, asdict, evolve, frozen

from benchmarks.arithmetic import Spread

#: Share of the machine that strangers may take before a repetition counts as disturbed.
DISTURBED_ABOVE: Final = 0.10


@frozen(kw_only=True)
class Sample:
    """One repetition.

    Args:
        measure: what was measured, as in ``drain``.
        contender: whose it is.
        case: under which conditions, as in ``2 workers``.
        value: the figure, None where it is refused.
        unit: of the figure.
        refused: why there is none; "" where there is one.
        foreign: share of the machine that others used meanwhile, 0 to 1.
        more: further figures by their names, which carry their units.
    """

    measure: str
    contender: str
    case: str = ""
    value: float | None = None
    unit: str = "jobs/s"
    refused: str = ""
    foreign: float = 0.0
    more: Mapping[str, float] = Factory(dict)

    @property
    def is_disturbed(self) -> bool:
        return self.foreign > DISTURBED_ABOVE

    def with_more(self, **figures: float) -> Self:
        """Return it with further figures."""
        return evolve(self, more={**self.more, **figures})

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(**values)


@frozen(kw_only=True)
class Figure:
    """What all repetitions of one measurement come to.

    Args:
        spread: None where every repetition was refused; then ``refused`` says why.
        more: the medians of the further figures.
        disturbed: how many repetitions were left out as disturbed; where all were, none is left out, and
            ``is_doubtful`` is true.
    """

    measure: str
    contender: str
    case: str
    unit: str
    spread: Spread | None
    refused: str
    more: Mapping[str, float]
    disturbed: int
    is_doubtful: bool

    @property
    def value(self) -> float | None:
        return self.spread.median if self.spread else None


def figures(samples: Iterable[Sample]) -> Sequence[Figure]:
    """Sum up the repetitions of each measurement, in the order in which these came first."""
    groups: dict[tuple[str, str, str], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.measure, sample.contender, sample.case), []).append(sample)
    return [_figure(group) for group in groups.values()]


def _figure(group: Sequence[Sample]) -> Figure:
    """Sum up one group. A single refusal is enough: a contender that lost a job once has no figure."""
    first = group[0]
    refusals = [sample.refused for sample in group if sample.refused]
    given = [sample for sample in group if sample.value is not None]
    calm = [sample for sample in given if not sample.is_disturbed]
    counted = calm or given
    return Figure(
        measure=first.measure,
        contender=first.contender,
        case=first.case,
        unit=first.unit,
        spread=None if refusals else Spread.of([each.value for each in counted if each.value is not None]),
        refused=refusals[0] if refusals else "",
        more=_medians(counted),
        disturbed=len(given) - len(calm) if calm else 0,
        is_doubtful=bool(given) and not calm,
    )


def _medians(samples: Sequence[Sample]) -> Mapping[str, float]:
    names = dict.fromkeys(name for sample in samples for name in sample.more)
    return {
        name: Spread.of([sample.more[name] for sample in samples if name in sample.more]).median
        for name in names
    }
