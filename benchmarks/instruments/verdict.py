"""Whether a run did its work: only then has it a figure."""

from collections.abc import Sequence


def refusal(*, jobs: int, runs: Sequence[int], ended_ns: Sequence[int], kept: int | None) -> str:
    """Return why a run has no figure; "" if every job ran once and nothing is left of it.

    Args:
        jobs: how many were to run; there are as many ``runs`` and ``ended_ns``.
        kept: how many jobs the contender still holds as not done; None where nobody can say.
    """
    ran = sum(1 for each in runs if each)
    lost = jobs - sum(1 for each in ended_ns if each)
    twice = sum(1 for each in runs if each > 1)
    if lost:
        return f"{lost:,} of {jobs:,} jobs did not end ({ran:,} began)"
    if twice:
        return f"{twice:,} of {jobs:,} jobs ran more than once"
    if kept:
        return f"{kept:,} of {jobs:,} jobs are still held as not done"
    return ""
