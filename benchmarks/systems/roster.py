"""Who takes part."""

from collections.abc import Sequence

from benchmarks.bench import Bench
from benchmarks.systems.jobmill import Jobmill
from benchmarks.systems.limit import Limit
from benchmarks.systems.on_postgresql import ON_POSTGRESQL
from benchmarks.systems.on_rabbitmq import ON_RABBITMQ
from benchmarks.systems.peer import Peer
from benchmarks.systems.system import System


def contenders(bench: Bench, *, only: Sequence[str] = ()) -> Sequence[System]:
    """Return all contenders, Jobmill first, or those that are named.

    Raises:
        ValueError: there is none of a name.
    """
    peers = [Peer(facts=facts, bench=bench) for facts in (*ON_RABBITMQ, *ON_POSTGRESQL)]
    everybody: list[System] = [Jobmill(bench=bench), *peers, Limit(bench=bench)]
    names = [each.name for each in everybody]
    if unknown := [each for each in only if each not in names]:
        raise ValueError(f"no contender {', '.join(unknown)}; there are {', '.join(names)}")
    return [each for each in everybody if not only or each.name in only]
