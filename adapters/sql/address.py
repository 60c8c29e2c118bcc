"""Where the database is: a URL as people paste it, turned into what the drivers want."""

from pathlib import Path
from urllib.parse import quote

from attrs import frozen
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from jobmill.application.errors import WrongAddress

_POSTGRES = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
_SQLITE = frozenset({"sqlite", "sqlite+aiosqlite"})
#: What a pasted URL may ask for, and the driver's name for it.
_QUERY = {
    "sslmode": "ssl",
    "ssl": "ssl",
    "host": "host",
    "port": "port",
    "target_session_attrs": "target_session_attrs",
}


@frozen(kw_only=True)
class Address:
    """A database of a kind we know.

    Args:
        url: for the driver; it may hold a password.
        file: the file of a SQLite database, None for PostgreSQL.
    """

    url: URL
    file: Path | None = None

    def __str__(self) -> str:
        """Say where it is, for a person; without the password."""
        if self.file is not None:
            return str(self.file)
        place = f"{self.url.host or 'localhost'}:{self.url.port or 5432}/{self.url.database or ''}"
        return f"{self.url.username}@{place}" if self.url.username else place

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read a URL.

        Raises:
            WrongAddress: it is none, or names a database or an option that we do not know. The text of the
                URL is not shown, for it may hold a password.
        """
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            raise WrongAddress(
                "the database URL cannot be read; write postgresql://user@host/name or sqlite:///path"
            ) from None
        if parsed.drivername in _POSTGRES:
            return cls(url=_postgres(parsed))
        if parsed.drivername in _SQLITE:
            return _sqlite(parsed)
        raise WrongAddress(
            f"no database of the kind {parsed.drivername!r} is known; use postgresql:// or sqlite://"
        )

    def opened(self, *, create: bool) -> URL:
        """Return the URL to connect with; a SQLite file that is not there is made only if told to."""
        if self.file is None:
            return self.url
        # As a URI, since only that can say that a missing file is an error.
        database = "file:" + quote(str(self.file))
        return self.url.set(database=database, query={"mode": "rwc" if create else "rw", "uri": "true"})


def _postgres(url: URL) -> URL:
    if unknown := sorted(url.query.keys() - _QUERY.keys()):
        raise WrongAddress(
            f"the database URL asks for {', '.join(unknown)}; known are {', '.join(sorted(_QUERY))}"
        )
    query = {_QUERY[name]: value for name, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)


def _sqlite(url: URL) -> Address:
    if not url.database or url.database == ":memory:" or url.query:
        raise WrongAddress("a SQLite database is named by its file, as in sqlite:///jobmill.db")
    return Address(url=URL.create("sqlite+aiosqlite"), file=Path(url.database))
