"""A folder with Jobmill in it, and a person at its command line."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from attrs import frozen

from jobmill.adapters.sql import migrate, open_sql_store
from jobmill.entrypoints.cli.main import run

from tests.contract.store_world import StoreWorld

T = TypeVar("T")


@frozen(kw_only=True)
class Told:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of the result, without the blanks at their ends."""
        return [line.rstrip() for line in self.out.splitlines()]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The results of ``--json``, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@frozen(kw_only=True)
class Mill:
    """Runs commands in ``folder``, which is the working directory."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *tokens: object) -> Told:
        """Run one command; its exit code and what it printed."""
        self.capsys.readouterr()
        code = run([str(token) for token in tokens])
        told = self.capsys.readouterr()
        return Told(code=code, out=told.out, err=told.err)

    def has(self, work: Callable[[StoreWorld], Awaitable[T]]) -> T:
        """Do something to the store behind the back of the command line."""

        async def with_store() -> T:
            async with open_sql_store(self.url) as store:
                return await work(StoreWorld(store=store))

        return asyncio.run(with_store())

    def migrate(self) -> None:
        """Make the database."""
        self.file.parent.mkdir(exist_ok=True)
        asyncio.run(migrate(self.url))

    @property
    def file(self) -> Path:
        """The file of the database."""
        return self.folder / ".jobmill" / "jobmill.db"

    @property
    def url(self) -> str:
        """Where the database is."""
        return f"sqlite:///{self.file}"
