"""No request is larger than it needs to be."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

BYTES_MAX = 64 * 1024


class BodyLimit:
    """Refuse a body that is too large, or does not say how large it is: ``413``, ``411``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        answer: ASGIApp = self._app
        if "transfer-encoding" in headers:
            answer = JSONResponse({"detail": "say how long the body is"}, status_code=411)
        elif int(headers.get("content-length", "0")) > BYTES_MAX:
            answer = JSONResponse({"detail": f"at most {BYTES_MAX} bytes"}, status_code=413)
        await answer(scope, receive, send)
