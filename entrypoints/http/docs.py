"""The page on which people read and try the API. It is whole without the internet."""

import asyncio
from pathlib import Path
from typing import Final

from attrs import frozen
from litestar import Response
from litestar.exceptions import NotFoundException

from jobmill.application.handlers import Registry
from jobmill.entrypoints.http.answers import Answer, Req, json_answer
from jobmill.entrypoints.http.written import WrittenFor

_STATIC: Final = Path(__file__).parent / "static"
_PAGE: Final = _STATIC / "docs.html"
_FILES: Final = {
    "docs.js": (_STATIC / "docs.js", "text/javascript"),
    "swagger-ui-bundle.js": (_STATIC / "swagger-ui" / "swagger-ui-bundle.js", "text/javascript"),
    "swagger-ui.css": (_STATIC / "swagger-ui" / "swagger-ui.css", "text/css"),
    "favicon.png": (_STATIC / "swagger-ui" / "favicon-32x32.png", "image/png"),
}
FILE: Final = "file_name"

#: The page runs its own scripts and speaks to its own server, and to nobody else.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_KEEP: Final = "public, max-age=3600"


@frozen(kw_only=True)
class DocRoutes:
    """The description, and the page that shows it."""

    registry: Registry
    description: WrittenFor

    async def openapi(self) -> Answer:
        """Return the description itself."""
        return json_answer(self.description.text(self.registry))

    async def page(self) -> Answer:
        """Return the page."""
        headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
        return Response(await _read(_PAGE), status_code=200, media_type="text/html", headers=headers)

    async def file(self, request: Req) -> Answer:
        """Return what the page is made of."""
        path, kind = _FILES.get(request.path_params[FILE], (None, ""))
        if path is None:
            raise NotFoundException
        return Response(await _read(path), status_code=200, media_type=kind, headers={"cache-control": _KEEP})

    async def start(self) -> Answer:
        """Lead whoever comes to the root to the page."""
        return Response(b"", status_code=307, media_type="text/plain", headers={"location": "/docs"})


async def _read(path: Path) -> bytes:
    return await asyncio.to_thread(path.read_bytes)
