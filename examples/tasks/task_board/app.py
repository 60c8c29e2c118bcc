"""The web API: ``uvicorn --factory task_board.app:create_app``. Its own page is at ``/docs``."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from sqlalchemy.ext.asyncio import async_sessionmaker

import jobmill

from task_board import categories, refusals, tasks, users
from task_board.board import Board
from task_board.body_limit import BodyLimit
from task_board.cache import Cache, open_redis
from task_board.database import open_engine
from task_board.jobs import CleanUp, clean_up
from task_board.settings import Settings

log = logging.getLogger(__name__)
HOUR_S = 3600.0


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application; by default its settings are those of the environment."""
    told = settings or Settings.from_env(os.environ)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[dict[str, Board]]:
        engine, redis = open_engine(told.database_url), open_redis(told.redis_url)
        async with jobmill.connect(told.database_url) as mill:
            cleaning = asyncio.create_task(clean_up_every_hour(mill))
            sessions = async_sessionmaker(engine, expire_on_commit=False)
            yield {"board": Board(sessions, mill, Cache(redis))}
            cleaning.cancel()
        await engine.dispose()
        if redis is not None:
            await redis.aclose()

    # Its page needs no other site, and neither does whoever reads it.
    app = FastAPIOffline(title="Task board", version="1.0", redoc_url=None, lifespan=lifespan)
    app.add_middleware(BodyLimit)
    for routes in (users, categories, tasks):
        app.include_router(routes.router)
    app.add_api_route("/health", health, tags=["health"])
    refusals.install(app)
    return app


async def health() -> dict[str, str]:
    return {"status": "ok"}


async def clean_up_every_hour(mill: jobmill.Client) -> None:
    """However many API processes there are, the key makes it one job an hour."""
    while True:
        try:
            hour = datetime.now(UTC).strftime("%Y-%m-%dT%H")
            await mill.submit(clean_up, CleanUp(), idempotency_key=f"clean-up-{hour}")
        except jobmill.JobmillError as error:
            log.warning("Nothing is cleaned up this hour: %s", error)
        await asyncio.sleep(HOUR_S)
