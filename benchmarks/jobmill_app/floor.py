"""``python -m benchmarks.jobmill_app.floor PORT``: the same framework and server, storing nothing."""

import sys
from typing import Any

import uvloop
from litestar import Litestar, Request, Response, post

from jobmill.entrypoints.serving import bind, serve, stop_on_signals
from jobmill.entrypoints.settings import Settings

#: As long as the answer for a job of 200 bytes.
ANSWER = b'{"id":"' + b"0" * 600 + b'"}'


@post("/jobs", status_code=201)
async def submit(request: "Request[Any, Any, Any]") -> Response[bytes]:
    """Read the request and say that it was created, which it was not."""
    await request.body()
    return Response(ANSWER, media_type="application/json")


async def main(port: int) -> None:
    """Serve until told to stop."""
    app = Litestar(route_handlers=[submit], openapi_config=None, logging_config=None)
    await serve(app, bind(Settings(port=port)), stop=stop_on_signals())


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
