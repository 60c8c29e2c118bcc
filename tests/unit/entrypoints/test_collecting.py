"""The collector leaves alone what lives as long as the process; tried in a process of its own."""

import subprocess
import sys

import pytest

_LOOK = """
import gc, weakref
from jobmill.entrypoints import collecting

class Node: pass

kept = Node()
collecting.settle()
assert gc.get_freeze_count() > 1_000, gc.get_freeze_count()
assert not any(each is kept for each in gc.get_objects()), "what was there is looked at again"
loop = Node()
loop.itself = loop
seen = weakref.ref(loop)
del loop
made = [[] for _ in range(collecting.YOUNG_MAX + 1_000)]
assert seen() is None, "garbage that is made later is still found, before long"
"""

_COMMAND = """
import atexit, gc, sys
from jobmill.entrypoints import collecting
from jobmill.entrypoints.cli import main

def looked(*_):
    assert gc.get_threshold()[0] == collecting.YOUNG_MAX, "the command was imported under a busy collector"
    {does}

def at_the_end():
    print("left alone" if gc.get_freeze_count() > 1_000 else "looked through once more")

atexit.register(at_the_end)
main.run = looked
main.main()
"""


def test_what_stands_is_left_alone_and_later_garbage_is_still_found() -> None:
    ended = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr


_FOR_A_WHILE = """
import gc
from jobmill.entrypoints import collecting

before = gc.get_threshold(), gc.get_freeze_count()
try:
    with collecting.settled():
        assert gc.get_freeze_count() > 1_000
        assert gc.get_threshold() == (collecting.YOUNG_MAX, collecting.OLDER_EVERY, collecting.OLDER_EVERY)
        raise KeyError
except KeyError:
    pass
assert (gc.get_threshold(), gc.get_freeze_count()) == before
"""


def test_it_can_be_for_a_while() -> None:
    ended = subprocess.run([sys.executable, "-c", _FOR_A_WHILE], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(("does", "code"), [("return 0", 0), ("return 1", 1)])
def test_a_command_is_neither_imported_nor_ended_under_the_collectors_eyes(does: str, code: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _COMMAND.format(does=does)], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout) == (code, "left alone\n"), ended.stderr
