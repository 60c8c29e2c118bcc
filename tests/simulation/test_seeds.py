"""The gate: thousands of runs, each drawn from its seed, each to be without a breach and with an end.

`JOBMILL_TEST_SEEDS` asks for more than the gate's number.
"""

import os
from collections import Counter
from typing import Final

import pytest

from tests.simulation.run import Report, play_seed
from tests.simulation.shrink import told

SEEDS: Final = int(os.environ.get("JOBMILL_TEST_SEEDS", "5000"))
CHUNK: Final = 500
#: In every chunk each of these has to happen, or the adversary has become tame.
SOMETIMES: Final = (
    "fault: kill",
    "fault: stop",
    "fault: freeze",
    "fault: one more worker",
    "fault: poison",
    "fault: presence cut",
    "fault: statement no",
    "fault: statement lost",
    "fault: statement doubt",
    "fault: statement slow",
    "fault: statement late",
    "fault: statement refused",
    "fault: line no",
    "fault: line lost",
    "fault: line doubt",
    "fault: failover lost commits",
    "fault: clock jumps",
    "fault: rows are held",
    "fault: everything doubled",
    "fault: everything delivered again",
    "fault: lanes shuffled",
    "fault: messages held up",
    "fault: message lost",
    "fault: ghost",
    "fault: garbage",
    "fault: broker wiped",
    "fault: queue deleted",
    "fault: line to the broker cut",
    "fault: publish refused",
    "fault: publish unknown, taken",
    "fault: publish unknown, not taken",
    "client: lost patience",
    "client: replayed",
    "client: conflict",
    "client: storage-unknown",
    "client: storage-unavailable",
    "operator: cancel",
    "operator: requeue",
    "operator: requeue with an edit",
    "operator: discard",
    "operator: storage-unknown",
    "fact: postponed",
    "fact: handed back",
    "fact: expired",
    "fact: discarded",
    "refused: started",
    "refused: succeeded",
    "doubt: claim was mine",
    "doubt: claim was not mine",
    "doubt: submission was mine",
    "doubt: move was mine",
    "seen: leader changed",
    "seen: begun from another share than the first",
    "seen: orphaned",
    "seen: paid",
    "said: broker without our marker, announcing all that waits",
    "said: lost notices replaced",
    "said: leases not renewed",
    "said: outcome refused",
    "said: outcome dropped with the lease",
    "said: outbox rows not forgotten",
    "said: queue takes no parcels",
    "said: message quarantined",
    "said: chores interrupted",
    "said: handler ignores its cancellation",
)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_run_keeps_the_invariants_and_ends(first: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(first, min(first + CHUNK, SEEDS)):
        report: Report = play_seed(seed)
        if report.broken:
            pytest.fail(told(report), pytrace=False)
        seen.update(report.seen)
    if first + CHUNK <= SEEDS:
        missed = [event for event in SOMETIMES if not seen[event]]
        assert not missed, f"no run of this chunk saw: {missed}"
