"""How often the collector of garbage looks: at what the process was made of, never again."""

import gc
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

#: Objects made and not freed before the young are looked at: a batch of jobs makes tens of thousands.
YOUNG_MAX: Final = 50_000
#: Looks at one generation for each at the next; the oldest holds whatever runs for long.
OLDER_EVERY: Final = 20


def make_room() -> None:
    """Let a process come to stand before anything is looked at: what it imports stays.

    To be called before the imports. A third of a short command's time is saved by this and by ``leave``.
    """
    gc.set_threshold(YOUNG_MAX, OLDER_EVERY, OLDER_EVERY)


def leave() -> None:
    """Let the process end without Python's last looks at all it is made of."""
    gc.freeze()


def settle() -> None:
    """Leave modules, handlers and services out of every later collection.

    To be called once the process stands. Hundreds of thousands of objects that live as long as it does would
    else be walked through again and again, since jobs come and go in batches: a third of a worker's time.
    """
    gc.collect()
    gc.freeze()
    make_room()


@contextmanager
def settled() -> Generator[None]:
    """Be settled for as long as the block lasts."""
    before = gc.get_threshold()
    settle()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
