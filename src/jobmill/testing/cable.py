"""A process's line to the store, which can be cut."""

import asyncio
from collections.abc import Awaitable, Callable

from attrs import define

from jobmill.application.errors import StorageUnavailable


@define(eq=False)
class Cable:
    """A process's line to the store.

    ``trouble`` is asked around every statement, like the store's own faults; ``is_cut`` fails all of them,
    surely undone; ``is_dead`` never lets one come back.
    """

    trouble: Callable[[str], Awaitable[None] | None] = lambda _moment: None
    is_cut: bool = False
    is_dead: bool = False

    def __call__(self, moment: str) -> Awaitable[None] | None:
        if self.is_dead:
            return asyncio.get_running_loop().create_future()
        if self.is_cut and moment.startswith("before"):
            raise StorageUnavailable("the cable is cut")
        return self.trouble(moment)
