"""New jobs by connections of the caller's, whichever driver they have."""

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar, cast
from weakref import WeakSet

from attrs import define, field
from sqlalchemy import Connection, CursorResult, Engine, Executable, text
from sqlalchemy.exc import UnboundExecutionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session
from sqlalchemy.orm import Session, scoped_session

from jobmill.adapters.sql.adding import KEYS_MOVE, ROUNDS
from jobmill.adapters.sql.database import Database
from jobmill.adapters.sql.faults import DRIVER_ERRORS, Meaning, as_fault, meaning_of
from jobmill.adapters.sql.insertion import Insertion, KeysMoved
from jobmill.adapters.sql.key_verdicts import Verdicts
from jobmill.adapters.sql.statement import statement_for
from jobmill.application.errors import ForeignDatabase, StorageUnavailable
from jobmill.application.ports.enlisting import Enlisting, ParamStyle, Transactional
from jobmill.application.ports.job_repository import AddAnswer, NewJob
from jobmill.domain.errors import Fault, InvalidInput

T = TypeVar("T")

#: By what a database is known. The identity alone would do, but for copies of a database.
_MARKS = {
    "postgresql": text("SELECT CAST(identity AS text), current_database() FROM mill"),
    "sqlite": text("SELECT identity, (SELECT file FROM pragma_database_list WHERE name = 'main') FROM mill"),
}
_Marks = tuple[str, str]


@define(kw_only=True, eq=False)
class SqlEnlisting(Enlisting):
    """The same statements as on our own connections, in a savepoint of the caller's transaction."""

    _database: Database
    _insertion: Insertion
    _dialect: str
    _own: _Marks | None = field(default=None, init=False)
    _recognised: "WeakSet[Engine]" = field(factory=WeakSet, init=False)

    @classmethod
    def on(cls, database: Database) -> "SqlEnlisting":
        """Build the statements."""
        return cls(
            database=database,
            insertion=Insertion.on(database.dialect, attended=False),
            dialect=database.units.dialect.name,
        )

    async def recognise(self) -> None:
        """See ``Enlisting``."""
        if self._own is None:
            row: Sequence[str] = (await self._database.read(_MARKS[self._dialect]))[0]
            self._own = (row[0], row[1])

    async def add(self, within: Transactional, unit: Sequence[NewJob]) -> Sequence[AddAnswer]:
        """See ``Enlisting``."""
        if isinstance(within, async_scoped_session):
            within = within()
        if isinstance(within, AsyncSession):
            return await within.run_sync(self.add_now, unit)
        if isinstance(within, AsyncConnection):
            return await within.run_sync(self.add_now, unit)
        return self.add_now(within, unit)

    def add_now(self, within: Transactional, unit: Sequence[NewJob]) -> Sequence[AddAnswer]:
        """See ``Enlisting``."""
        try:
            connection = _connection_of(within)
            self._check_home(connection)
            return self._added(connection, unit)
        except DRIVER_ERRORS as error:
            raise as_fault(error, _meaning_of(error), address=self._database.address) from error

    def statement(self, new: NewJob, style: ParamStyle) -> tuple[str, Any]:
        """See ``Enlisting``."""
        return statement_for(self._dialect, new, style)

    def _added(self, connection: Connection, unit: Sequence[NewJob]) -> Sequence[AddAnswer]:
        own = cast("AsyncConnection", _Awaitable(connection))
        for _ in range(ROUNDS):
            try:
                with connection.begin_nested():
                    verdicts, _rows = _at_once(self._insertion.run(own, [unit]))
            except KeysMoved:
                continue
            return _answers(verdicts)
        raise StorageUnavailable(KEYS_MOVE)

    def _check_home(self, connection: Connection) -> None:
        """Refuse what leads elsewhere; of each engine that is asked once."""
        if connection.dialect.name != self._dialect:
            raise self._foreign(connection)
        _begin(connection)
        if connection.engine in self._recognised:
            return
        assert self._own is not None, "nobody recognised the own database"
        try:
            with connection.begin_nested():
                rows = connection.execute(_MARKS[self._dialect]).all()
        except DRIVER_ERRORS as error:
            if meaning_of(error) is not Meaning.SETUP:
                raise
            raise self._foreign(connection) from error
        if [tuple(row) for row in rows] != [self._own]:
            raise self._foreign(connection)
        self._recognised.add(connection.engine)

    def _foreign(self, connection: Connection) -> ForeignDatabase:
        given = connection.engine.url.render_as_string(hide_password=True)
        return ForeignDatabase(given=given, ours=self._database.address)


class _Awaitable:
    """A connection whose answers are there at once, for code that awaits them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable, params: Any = None) -> CursorResult[Any]:  # noqa: ANN401
        return self._connection.execute(statement, params)


def _at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run what never has to wait."""
    try:
        work.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    work.close()
    raise AssertionError("a statement on a connection that is not async had to wait")


def _connection_of(within: object) -> Connection:
    if isinstance(within, scoped_session):
        within = within()
    if isinstance(within, Session):
        try:
            connection = within.connection()
        except UnboundExecutionError as error:
            detail = f"is a session that is bound to no database: {str(error).splitlines()[0]}"
            raise InvalidInput(Fault(pointer="/within", detail=detail)) from error
    elif isinstance(within, Connection):
        connection = within
    else:
        raise InvalidInput(Fault(pointer="/within", detail=_wrong_kind(within)))
    if connection.closed:
        detail = "is a connection that is closed; submit inside of its block"
        raise InvalidInput(Fault(pointer="/within", detail=detail))
    return connection


def _wrong_kind(within: object) -> str:
    if isinstance(within, AsyncSession | AsyncConnection | async_scoped_session):
        return "is async, and this client is not: use `async with jobmill.connect()` and await its `submit`"
    wanted = "a Session, AsyncSession, Connection or AsyncConnection of SQLAlchemy"
    return f"must be {wanted}, not a {type(within).__name__}; for any other cursor there is `as_sql`"


def _begin(connection: Connection) -> None:
    """See to it that there is a transaction for the savepoint to be in.

    Python's sqlite3 begins none before a SAVEPOINT. It would be the transaction itself, and its RELEASE the
    commit of what the caller may still roll back.
    """
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite":
        inner: Any = connection.connection.driver_connection
        if inner.in_transaction:
            return
    if connection.dialect.detect_autocommit_setting(driver):
        detail = 'commits every statement by itself; take isolation_level="AUTOCOMMIT" away for it'
        raise InvalidInput(Fault(pointer="/within", detail=detail))
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _meaning_of(error: BaseException) -> Meaning:
    """What was sent is undone with the savepoint, or with the caller's transaction when the line is cut."""
    meaning = meaning_of(error)
    return Meaning.UNAVAILABLE if meaning in {Meaning.CUT_OFF, Meaning.AGAIN} else meaning


def _answers(verdicts: Verdicts) -> Sequence[AddAnswer]:
    [answers] = verdicts.answers({job.id: job for job in verdicts.made})
    return answers
