"""dependency-injector, spared the web frameworks that it would look for.

Its ``wiring`` imports FastAPI, Werkzeug and others wherever they are installed, to know their markers: 20 MB
and most of a second, in every worker that shares an environment with a web application. Nothing is wired
here, so they are hidden while it loads; not from a process that has them already, nor where another thread
might be importing them just then.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_FRAMEWORKS: Final = ("fast_depends", "fastapi", "starlette", "werkzeug")


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Let imports of these packages fail in the block, as if they were not installed.

    A package that is loaded already stays as it is, and so does everything while other threads run.
    """
    hidden = [name for name in packages if name not in sys.modules] if threading.active_count() == 1 else []
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how Python marks them
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with without(*_FRAMEWORKS):
    from dependency_injector import containers, providers

__all__ = ["containers", "providers"]
