"""Submitting to Jobmill over HTTP: one job a request, or a batch."""

from collections.abc import Sequence
from typing import Any

import msgspec

from benchmarks.jobmill_app.http_connection import Connections, request_of
from benchmarks.peers import place


class Producer:
    """Keeps a connection for each request at once.

    Options: ``port``; ``queues``, over how many queues jobs are spread, 0 being the default one.
    """

    async def open(self, *, in_flight: int) -> None:
        options = place.options()
        self._queues = int(options.get("queues", 0))
        self._connections = Connections()
        await self._connections.open(int(options["port"]), in_flight)

    async def submit(self, payload: dict[str, Any]) -> None:
        await self._connections.post(request_of("/jobs", msgspec.json.encode(self._job(payload))))

    async def submit_batch(self, payloads: Sequence[dict[str, Any]]) -> None:
        body = msgspec.json.encode({"jobs": [self._job(each) for each in payloads]})
        await self._connections.post(request_of("/jobs/batch", body))

    async def close(self) -> None:
        self._connections.close()

    def _job(self, payload: dict[str, Any]) -> dict[str, Any]:
        which = str(payload["i"] % self._queues) if self._queues else ""
        return {"type": f"bench.job{which}", "payload": payload}
