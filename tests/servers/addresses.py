"""The spellings in which people have a database's address."""

from sqlalchemy import make_url


def postgres_url(url: str, *, database: str | None = None) -> str:
    """The same server as ``postgresql://…``, whatever the spelling; with another database if one is named.

    ``postgres://`` and ``postgresql+asyncpg://`` are understood.
    """
    address = make_url(url).set(drivername="postgresql")
    if database is not None:
        address = address.set(database=database)
    return address.render_as_string(hide_password=False)
