"""Database URLs as people paste them."""

from pathlib import Path

import pytest

from jobmill.adapters.sql.address import Address
from jobmill.application.errors import SetupFault


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_way_to_write_postgresql_is_understood(scheme: str) -> None:
    address = Address.parse(f"{scheme}://ada:secret@db.example:6432/shop")

    assert address.opened(create=False).drivername == "postgresql+asyncpg"
    assert address.opened(create=False).password == "secret"
    assert address.file is None


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
def test_every_way_to_write_sqlite_is_understood(scheme: str) -> None:
    assert Address.parse(f"{scheme}:///jobs.db").file == Path("jobs.db")
    assert Address.parse(f"{scheme}:////var/lib/jobs.db").file == Path("/var/lib/jobs.db")


def test_an_address_shows_no_password() -> None:
    assert str(Address.parse("postgresql://ada:secret@db/shop")) == "ada@db:5432/shop"
    assert "secret" not in repr(Address.parse("postgresql://ada:secret@db/shop"))


def test_the_usual_word_for_encryption_is_translated() -> None:
    address = Address.parse("postgresql://db/shop?sslmode=require")

    assert address.opened(create=False).query == {"ssl": "require"}


def test_a_file_is_made_only_if_told_to() -> None:
    address = Address.parse("sqlite:///with blank?.db".replace("?", "%3F"))

    assert address.opened(create=False).query["mode"] == "rw"
    assert address.opened(create=True).query["mode"] == "rwc"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ada:secret@db/shop",
        "postgresql://ada:secret@db/shop?sslkrl=1",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///jobs.db?mode=memory",
        "no url, but secret",
        "postgresql://ada:secret@db:port/shop",
    ],
)
def test_what_is_not_understood_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SetupFault) as refused:
        Address.parse(url)

    assert "secret" not in str(refused.value)
