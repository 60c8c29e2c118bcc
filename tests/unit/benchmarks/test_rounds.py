"""Rounds are interleaved; one that fails is told of, and the others go on."""

from collections.abc import Awaitable, Callable, Sequence

from benchmarks.children import Failed
from benchmarks.rounds import Patience, Round, played
from benchmarks.samples import Sample
from tests.unit.benchmarks.measured import a_sample

Play = Callable[[], Awaitable[Sample | Sequence[Sample]]]


def a_round(contender: str, *samples: Sample | Exception) -> Round:
    """A round that gives these one after the other, and its last for ever."""
    left = list(samples)

    async def play() -> Sample:
        given = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(given, Exception):
            raise given
        return given

    return Round(measure="drain", contender=contender, case="1 worker", play=play)


async def played_all(*rounds: Round, repetitions: int, patience: int = 9) -> list[Sample]:
    return [each async for each in played(rounds, repetitions=repetitions, patience=Patience(left=patience))]


async def test_contenders_take_turns() -> None:
    samples = await played_all(
        a_round("jobmill", a_sample()), a_round("celery", a_sample(contender="celery")), repetitions=2
    )

    assert [each.contender for each in samples] == ["jobmill", "celery", "jobmill", "celery"]


async def test_a_contender_that_fails_is_told_of_once_and_the_others_go_on() -> None:
    samples = await played_all(
        a_round("celery", Failed("it ended with 1")), a_round("jobmill", a_sample()), repetitions=3
    )

    assert [each.contender for each in samples] == ["celery", "jobmill", "jobmill", "jobmill"]
    assert samples[0].value is None
    assert samples[0].refused == "it ended with 1"


async def test_a_fault_of_the_suite_itself_is_told_of_by_its_name() -> None:
    [sample] = await played_all(a_round("celery", KeyError("prefetch")), repetitions=1)

    assert sample.refused == "KeyError: 'prefetch'"


async def test_a_disturbed_repetition_is_made_again() -> None:
    disturbed = a_sample(50.0, foreign=0.5)
    samples = await played_all(a_round("jobmill", disturbed, a_sample(100.0)), repetitions=1)

    assert [each.value for each in samples] == [50.0, 100.0]


async def test_a_machine_that_is_never_calm_does_not_hold_up_a_round_for_ever() -> None:
    samples = await played_all(a_round("jobmill", a_sample(foreign=0.5)), repetitions=2)

    assert len(samples) == 2 + 2


async def test_nor_a_whole_run() -> None:
    restless = [a_round(name, a_sample(foreign=0.5)) for name in ("jobmill", "celery", "taskiq")]

    assert len(await played_all(*restless, repetitions=1, patience=3)) == 3 + 3
