"""Storing jobs by a connection, and in a transaction, that belong to the caller."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from jobmill.application.ports.job_repository import AddAnswer, NewJob

#: How a driver marks the places of parameters, as in the ``paramstyle`` of DB-API; asyncpg's is the last.
ParamStyle = Literal["format", "pyformat", "qmark", "named", "numeric", "numeric_dollar"]


class Transactional(Protocol):
    """A session or a connection of SQLAlchemy, async or not."""

    def begin_nested(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - what it returns is of no concern
        """Begin a savepoint."""
        ...


class Enlisting(Protocol):
    """Writes as ``JobRepository.add`` does, with one unit, and commits nothing.

    The notices are left to the leader. After an error nothing of the unit is written, and where the database
    allows it the caller's transaction can go on.
    """

    async def recognise(self) -> None:
        """Learn how the own database is known from others; asks it once. To be done before a unit is added.

        Raises:
            StorageUnavailable: it cannot be reached.
        """
        ...

    async def add(self, within: Transactional, unit: Sequence[NewJob]) -> Sequence[AddAnswer]:
        """Write the unit and answer by position.

        Raises:
            ForeignDatabase: ``within`` leads elsewhere.
            InvalidInput: ``within`` is of no kind that is known, or commits by itself.
            Unavailable: as in ``JobRepository``; what is unknown is so until the caller has rolled back.
        """
        ...

    def add_now(self, within: Transactional, unit: Sequence[NewJob]) -> Sequence[AddAnswer]:
        """Do the same in the caller's thread, with a session or a connection that is not async."""
        ...

    def statement(self, new: NewJob, style: ParamStyle) -> tuple[str, Any]:
        """Return a statement that stores the job, and its parameters; raises ``InvalidInput``."""
        ...
