"""Chance that is fetched in stock: no bit is handed out twice, in no thread and in no child."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from jobmill.adapters.system.random_bits import RandomBits


@pytest.mark.parametrize("count", [1, 7, 32, 64, 73, 128])
def test_a_draw_has_as_many_bits_as_were_asked_for(count: int) -> None:
    bits = RandomBits()
    drawn = [bits.draw(count) for _ in range(2_000)]

    assert min(drawn) >= 0
    assert max(drawn) < 2**count
    assert all(any(number >> place & 1 for number in drawn) for place in range(count))
    assert not all(number & 1 for number in drawn)


def test_no_stock_is_handed_out_twice() -> None:
    bits = RandomBits()
    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(lambda _: bits.draw(64), range(5_000)))

    assert len(set(drawn)) == len(drawn)


def test_a_forked_child_draws_other_bits_than_its_parent() -> None:
    program = """
import os
from jobmill.adapters.system.random_bits import random_bits
random_bits.draw(64)
child = os.fork()
os.write(1, b"%d\\n" % random_bits.draw(64))
if child:
    os.waitpid(child, 0)
"""
    one, other = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.split()

    assert one != other
