"""A provider of texts for trials: it speaks Twilio's protocol, takes its time, can be switched off and on.

``python -m notification_center.provider --latency-s 0.5``; then ``curl -X PUT localhost:4010/off``
and ``/on``. While it is off, a text is answered with 503; ``GET /`` says how many it took and turned away.
"""

import argparse
import asyncio
from uuid import uuid4

from aiohttp import web
from attrs import define


@define
class Provider:
    latency_s: float
    is_on: bool = True
    taken: int = 0
    turned_away: int = 0

    async def send(self, _request: web.Request) -> web.Response:
        if not self.is_on:
            self.turned_away += 1
            return web.json_response({"code": 20503, "message": "down"}, status=503)
        await asyncio.sleep(self.latency_s)
        self.taken += 1
        return web.json_response({"sid": f"SM{uuid4().hex}"}, status=201)

    async def turn(self, request: web.Request) -> web.Response:
        self.is_on = request.match_info["switch"] == "on"
        return await self.look(request)

    async def look(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"is_on": self.is_on, "taken": self.taken, "turned_away": self.turned_away},
        )

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post("/2010-04-01/Accounts/{sid}/Messages.json", self.send),
                web.put("/{switch:on|off}", self.turn),
                web.get("/", self.look),
            ]
        )
        return app


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--host", default="localhost")
    options.add_argument("--port", type=int, default=4010)
    options.add_argument("--latency-s", type=float, default=0.05)
    chosen = options.parse_args()
    app = Provider(latency_s=chosen.latency_s).app()
    web.run_app(app, host=chosen.host, port=chosen.port, access_log=None, print=None)
