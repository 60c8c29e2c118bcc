"""The web API in this process, on a SQLite database that holds nothing but user 1."""

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send

from jobmill.entrypoints.container import migrate_store
from jobmill.entrypoints.settings import Settings as MillSettings

from task_board.app import create_app
from task_board.board import Board
from task_board.settings import Settings
from task_board.setup import set_up


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as it is made at first: once, and then copied, which is much quicker."""
    file = tmp_path_factory.mktemp("board") / "jobmill.db"
    url = f"sqlite:///{file}"
    await migrate_store(MillSettings(database_url=url))
    await set_up(url)
    return file


@pytest.fixture
def database_url(made: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(made, tmp_path / 'jobmill.db')}"


@pytest_asyncio.fixture
async def board(database_url: str) -> AsyncGenerator[Board]:
    """What the routes stand on."""
    app = create_app(Settings(database_url=database_url))
    async with app.router.lifespan_context(app) as state:
        assert state is not None
        board: Board = state["board"]
        yield board


@pytest.fixture
def client(board: Board) -> httpx.AsyncClient:
    app = create_app()

    async def with_board(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": {"board": board}}, receive, send)

    transport = httpx.ASGITransport(app=with_board)
    return httpx.AsyncClient(transport=transport, base_url="http://board")
