"""The sudden end of this process."""

import os
from typing import Final, NoReturn

from attrs import frozen

from jobmill.application.ports.providers import Crash

#: What a shell shows for it; no command of Jobmill ends with this number by itself.
CRASH_STATUS: Final = 70


@frozen
class SystemCrash(Crash):
    """Ends the process on the spot, so that others have to find out."""

    def __call__(self) -> NoReturn:
        """Skip every handler, every ``finally`` and every buffer."""
        os._exit(CRASH_STATUS)
