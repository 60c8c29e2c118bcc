"""Any words on the command line: something is done, or a line says what would be right; never a stack."""

from random import Random
from typing import Final

import pytest

from jobmill.entrypoints.cli.app import _COMMANDS
from jobmill.entrypoints.cli.exits import Exit

from tests.fuzz.conftest import Tried
from tests.fuzz.strategies import EVIL_TEXTS
from tests.unit.entrypoints.cli.mill import Mill

pytestmark = pytest.mark.timeout(600)

CASES: Final = 250
#: These would stay; they get something wrong each time.
STAYING: Final = {"up", "api", "worker"}
OPTIONS: Final = (
    "--status",
    "--type",
    "--queue",
    "--tag",
    "--tenant",
    "--correlation-id",
    "--limit",
    "--cursor",
    "--oldest-first",
    "--json",
    "--payload-file",
    "--priority",
    "--run-at",
    "--delay",
    "--ttl",
    "--max-attempts",
    "--timeout",
    "--idempotency-key",
    "--unique",
    "--kind",
    "--payload",
    "--host",
    "--port",
    "--handlers",
    "--concurrency",
    "--no-such",
    "--help",
    "--version",
    "-x",
    "-",
    "--",
    "--=x",
)
VALUES: Final = (
    *EVIL_TEXTS,
    "\udcff\udcfe",
    "simulate",
    "email",
    "queued",
    "high",
    "17",
    "-1",
    "0",
    "1e9",
    "9" * 400,
    "5m",
    "-5m",
    "2030-01-31T08:00:00Z",
    "9999-12-31T23:59:59Z",
    "00000000-0000-0000-0000-000000000000",
    "{}",
    "{",
    "[]",
    '{"duration_s":0}',
    '{"duration_s":"x"}',
    '{"a":1,"a":2}',
    "[" * 5_000,
    '{"a":NaN}',
    "/dev/null",
    "/",
    "/no/such/file",
    "plan",
    "apply",
)


def test_any_words_lead_to_a_result_or_to_a_line_that_helps(mill: Mill, tried: Tried, factor: int) -> None:
    ended: set[int] = set()
    for seed in range(CASES * factor):
        words = _words(Random(seed))

        told = mill.run(*words)

        assert told.code in {Exit.DONE, Exit.REFUSED, Exit.WRONG_USE}, (words, told)
        assert "Traceback" not in told.err, words
        assert "unexpected" not in told.err, (words, told.err)
        if told.code != Exit.DONE and not (words[0] == "doctor" and told.out):  # which names mends on its own
            assert told.err.startswith("jobmill: "), (words, told.err)
        ended.add(told.code)

    assert ended == {Exit.DONE, Exit.REFUSED, Exit.WRONG_USE}
    tried(CASES * factor)


def _words(chance: Random) -> list[str]:
    command = chance.choice([*(name for _, name, _, _ in _COMMANDS), "", "no-such"])
    words = [chance.choice((*VALUES, *OPTIONS)) for _ in range(chance.randrange(5))]
    if command in STAYING:
        words.append("--no-such")
    elif command == "submit" and chance.random() < 0.5:
        words[:0] = ["simulate", chance.choice(VALUES)]
    return [command, *words]
