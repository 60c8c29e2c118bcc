"""Load: send many updates of odds over HTTP in batches, wait until all have run, and look at the board.

``python -m odds_board.load 50000``, with the address in ``BOARD_URL`` and the board's database in
``JOBMILL_DATABASE_URL``.
The requests are written before the clock starts: a feed's own work is not Jobmill's.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence

import httpx
import msgspec
from sqlalchemy import text

from odds_board.database import connection
from odds_board.updates import Odds

URL = os.environ.get("BOARD_URL", "http://localhost:3000")
BATCH = 1_000
AT_ONCE = 4
SELECTIONS = 1_000
#: Of a hundred updates so many lag behind, by so many places: newer ones of their selection are sent first.
OVERTAKEN = 10
LAG = 3 * SELECTIONS
OPEN = "/api/jobs?type=odds.update&status=queued,processing,retrying&limit=1"
BOARD = text("SELECT id, sequence FROM board WHERE kind = 'odds' AND id LIKE 'load-%'")


async def main(updates: int) -> None:
    told = list(feed(updates))
    bodies = [body(told[at : at + BATCH]) for at in range(0, updates, BATCH)]
    newest: dict[str, int] = {}
    for each in told:
        newest[each.selection] = max(each.sequence, newest.get(each.selection, 0))

    async with httpx.AsyncClient(base_url=URL, timeout=60) as http:
        await settled(http)
        began = time.perf_counter()
        waiting = iter(bodies)
        await asyncio.gather(*(send(http, waiting) for _ in range(AT_ONCE)))
        accepted = time.perf_counter()
        await settled(http)
        done = time.perf_counter()
        dead = (await http.get("/api/dead-letters?type=odds.update&limit=1")).raise_for_status().json()
    async with connection() as db:
        board = {row.id: row.sequence for row in await db.execute(BOARD)}
    right = sum(board.get(selection) == sequence for selection, sequence in newest.items())
    print(
        f"accepted {updates} updates in {accepted - began:.2f} s: {updates / (accepted - began):.0f} a second"
    )
    print(f"all had run after {done - began:.2f} s: {updates / (done - began):.0f} a second")
    print(f"the board has the newest odds of {right} of {len(newest)} selections")
    if right != len(newest) or dead:
        sys.exit(f"an update is missing; the newest dead letter: {dead[0]['error'] if dead else 'none'}")


def feed(updates: int) -> Iterator[Odds]:
    """Updates as they are sent: some only after a newer one of their selection."""
    chance, start = random.Random(updates), time.time_ns()

    def place(number: int) -> int:
        return number + (LAG if chance.randrange(100) < OVERTAKEN else 0)

    return (update(number, start) for number in sorted(range(updates), key=place))


def update(number: int, start: int) -> Odds:
    selection = f"load-{number % SELECTIONS}"
    return Odds(selection=selection, sequence=start + number, price_milli=1_100 + number % 900)


def body(updates: Sequence[Odds]) -> bytes:
    return msgspec.json.encode({"jobs": [{"type": "odds.update", "payload": each} for each in updates]})


async def send(http: httpx.AsyncClient, bodies: Iterator[bytes]) -> None:
    for body in bodies:
        answer = await http.post(
            "/api/jobs/batch", content=body, headers={"content-type": "application/json"}
        )
        answer.raise_for_status()


async def settled(http: httpx.AsyncClient) -> None:
    """Wait until no update of odds is open."""
    while (await http.get(OPEN)).raise_for_status().json():
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000))
