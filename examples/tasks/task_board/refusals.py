"""How it is said that something cannot be done: by the state of the data, or not at this moment."""

import json
import logging

from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from jobmill import Unavailable

log = logging.getLogger(__name__)

#: Of a database that is away, does not keep up, or has no connection left.
AWAY = (Unavailable, OperationalError, InterfaceError, NoConnection, ConnectionError)
RETRY_AFTER_S = "2"


def install(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(IntegrityError, conflict)
    for error in AWAY:
        app.add_exception_handler(error, not_now)


async def invalid(_request: Request, error: Exception) -> Response:
    """As FastAPI does, but in ASCII: what was sent is repeated, be it half a character."""
    assert isinstance(error, RequestValidationError)
    detail = json.dumps({"detail": jsonable_encoder(error.errors())}, separators=(",", ":"))
    return Response(detail, status_code=422, media_type="application/json")


async def conflict(_request: Request, error: Exception) -> JSONResponse:
    """A name or address that is taken, or a row that others still refer to."""
    log.info("Refused: %s", error)
    return JSONResponse({"detail": "it is taken already, or still in use"}, status_code=409)


async def not_now(_request: Request, error: Exception) -> JSONResponse:
    log.warning("The database does not answer: %s", error)
    headers = {"Retry-After": RETRY_AFTER_S}
    return JSONResponse({"detail": "not now, please try again"}, status_code=503, headers=headers)
