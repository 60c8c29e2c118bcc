"""Run several commands in one terminal until Ctrl-C, or until one of them ends: then the others end too.

``python side_by_side.py "jobmill up" "uvicorn shop:app"``
"""

import asyncio
import shlex
import signal
import sys
from collections.abc import Sequence

GRACE_S = 30.0


async def main(lines: Sequence[str]) -> int:
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    running = [await asyncio.create_subprocess_exec(*shlex.split(line)) for line in lines]
    ends = [asyncio.create_task(process.wait()) for process in running]
    asked = asyncio.create_task(stop.wait())
    first, _ = await asyncio.wait([asked, *ends], return_when=asyncio.FIRST_COMPLETED)
    for process in running:
        if process.returncode is None:
            process.terminate()
    _, late = await asyncio.wait(ends, timeout=GRACE_S)
    for process in running:
        if late and process.returncode is None:
            process.kill()
    asked.cancel()
    return 0 if asked in first else max(abs(end.result()) for end in first if end is not asked)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
