"""The dead-letter consumer: inspects every dead letter, and retries, discards or keeps it by rule.

``python -m odds_board.dead_letters`` looks once, with ``--every 5`` every five seconds; by the HTTP API at
``BOARD_URL``, so it runs anywhere, and two of them do no harm.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import msgspec

from odds_board.rules import Letter, Verdict, verdict_on

URL = os.environ.get("BOARD_URL", "http://localhost:3000")
PATHS = {Verdict.RETRY: "requeue", Verdict.DISCARD: "discard"}
PAGE = 200
#: In one look; what is kept is passed over again in the next.
LETTERS_MAX = 10_000
#: Somebody else was quicker: it is no dead letter any more, or was moved at this moment.
TAKEN = (httpx.codes.NOT_FOUND, httpx.codes.CONFLICT)


async def look(http: httpx.AsyncClient) -> Counter[Verdict]:
    """Go through the dead letters once, newest first; how many were retried, discarded and kept."""
    counted: Counter[Verdict] = Counter()
    async for letter in letters(http):
        verdict, why = verdict_on(letter)
        if verdict in PATHS:
            answer = await http.post(f"/api/dead-letters/{letter.id}/{PATHS[verdict]}")
            if answer.status_code in TAKEN:
                continue
            answer.raise_for_status()
        print(f"{verdict:<7}  {letter.type or letter.kind}: {why}", flush=True)
        counted[verdict] += 1
    return counted


async def letters(http: httpx.AsyncClient) -> AsyncIterator[Letter]:
    """Each letter with its whole history, page after page."""
    url: str | None = f"/api/dead-letters?limit={PAGE}"
    seen = 0
    while url is not None and seen < LETTERS_MAX:
        page = (await http.get(url)).raise_for_status()
        for listed in msgspec.json.decode(page.content, type=list[Letter]):
            whole = await http.get(f"/api/dead-letters/{listed.id}")
            if whole.status_code not in TAKEN:
                yield msgspec.json.decode(whole.raise_for_status().content, type=Letter)
            seen += 1
        url = page.links.get("next", {}).get("url")


async def main(every_s: float | None) -> None:
    async with httpx.AsyncClient(base_url=URL, timeout=30) as http:
        if every_s is None:
            counted = await look(http)
            print(", ".join(f"{verdict}: {counted[verdict]}" for verdict in Verdict))
            return
        while True:
            try:
                await look(http)
            except httpx.HTTPError as error:
                print(
                    f"the board does not answer ({error!r}); the next look comes", file=sys.stderr, flush=True
                )
            await asyncio.sleep(every_s)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[2]) if sys.argv[1:2] == ["--every"] else None))
