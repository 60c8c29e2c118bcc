"""The producer: asks for calls, and knows nothing of who places them.

``python -m call_desk.producer monday 50`` asks for ``monday-1`` to ``monday-50``. To ask again is harmless:
each is placed once. ``--urgent`` puts them before others, ``--number`` has all of them go to one number.
"""

import argparse
import asyncio

from attrs import evolve

from call_desk.messages import CALL_QUEUE, URGENT_CALL_QUEUE, calls
from call_desk.sending import open_way


async def main(series: str, count: int, *, number: str | None, urgent: bool) -> None:
    wanted = list(calls(series, count))
    if number is not None:
        wanted = [evolve(each, phone_number=number) for each in wanted]
    queue = URGENT_CALL_QUEUE if urgent else CALL_QUEUE
    async with open_way() as send:
        await send(wanted, queue)
    print(f"asked for {count} calls by {queue}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="producer", description="Ask for calls.")
    parser.add_argument("series", help="what the calls are named after")
    parser.add_argument("count", type=int, nargs="?", default=10)
    parser.add_argument("--number", help="the number that all of them go to")
    parser.add_argument("--urgent", action="store_true", help="before other calls")
    return parser.parse_args()


if __name__ == "__main__":
    told = arguments()
    asyncio.run(main(told.series, told.count, number=told.number, urgent=told.urgent))
