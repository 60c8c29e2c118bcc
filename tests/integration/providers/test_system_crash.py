"""The crash that ``simulate`` asks for is a real one."""

import asyncio
import sys

from jobmill.adapters.system.crash import CRASH_STATUS

PROGRAM = """
import atexit
from jobmill.adapters.system import SystemCrash
atexit.register(print, "said goodbye")
try:
    SystemCrash()()
finally:
    print("cleaned up")
"""


async def test_it_ends_the_process_with_nothing_cleaned_up() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE
    )

    said, _ = await process.communicate()

    assert (process.returncode, said) == (CRASH_STATUS, b"")
