"""The read model: one row for each thing, as its newest update has it, in whatever order updates come.

An update is written only over one with a lower sequence. So writing it twice, late, or after a newer one
changes nothing, and two workers may write at the same time.
"""

from collections.abc import Collection, Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

#: ``parent`` is the event of a market, the market of a selection, and empty otherwise. Odds and boosts go by
#: the id of their selection.
TABLE = """
    CREATE TABLE IF NOT EXISTS board (
        kind varchar(10) NOT NULL,
        id varchar(100) NOT NULL,
        parent varchar(100) NOT NULL,
        sequence bigint NOT NULL,
        name varchar(200) NOT NULL,
        status varchar(10) NOT NULL,
        price_milli bigint NOT NULL,
        PRIMARY KEY (kind, id)
    )
"""
INDEX = "CREATE INDEX IF NOT EXISTS board_of_parent ON board (kind, parent)"
#: One parameter however many rows, so one statement and one plan.
ROWS = {
    "postgresql": "json_array_elements(CAST(:rows AS json)) AS given(value)",
    "sqlite": "json_each(:rows) AS given",
}
UPSERT = """
    INSERT INTO board (kind, id, parent, sequence, name, status, price_milli)
    SELECT value ->> 'kind', value ->> 'id', value ->> 'parent', CAST(value ->> 'sequence' AS bigint),
           value ->> 'name', value ->> 'status', CAST(value ->> 'price_milli' AS bigint)
    FROM {rows} WHERE true
    ON CONFLICT (kind, id) DO UPDATE SET
        parent = excluded.parent, sequence = excluded.sequence, name = excluded.name,
        status = excluded.status, price_milli = excluded.price_milli
    WHERE excluded.sequence > board.sequence
    RETURNING kind, id, sequence
"""
STATEMENTS = {dialect: text(UPSERT.format(rows=rows)) for dialect, rows in ROWS.items()}
PRICE = text("SELECT price_milli FROM board WHERE kind = 'odds' AND id = :selection")
CHILDREN = text("SELECT * FROM board WHERE kind = :kind AND parent = :parent ORDER BY name, id")
ONE = text("SELECT * FROM board WHERE kind = :kind AND id = :id")


class Row(Struct, frozen=True, kw_only=True):
    """One thing as an update has it."""

    kind: str
    id: str
    sequence: int
    parent: str = ""
    name: str = ""
    status: str = ""
    price_milli: int = 0

    @property
    def mark(self) -> tuple[str, str, int]:
        """What tells this update of this thing from every other."""
        return self.kind, self.id, self.sequence


async def make(db: AsyncConnection) -> None:
    """Make the table; again is harmless."""
    await db.execute(text(TABLE))
    await db.execute(text(INDEX))


async def write(db: AsyncConnection, rows: Collection[Row]) -> frozenset[tuple[str, str, int]]:
    """Write what is newer than what is there, and return the marks of that."""
    newest: dict[tuple[str, str], Row] = {}
    for row in rows:
        known = newest.get((row.kind, row.id))
        if known is None or row.sequence > known.sequence:
            newest[row.kind, row.id] = row
    # In one order for all: two workers that write the same rows wait for each other, and not in a circle.
    ordered = [newest[key] for key in sorted(newest)]
    written = await db.execute(STATEMENTS[db.dialect.name], {"rows": _text(ordered)})
    return frozenset((kind, thing, sequence) for kind, thing, sequence in written)


async def price_of(db: AsyncConnection, selection: str) -> int | None:
    """The odds of a selection in thousandths; None if there are none yet."""
    price: int | None = await db.scalar(PRICE, {"selection": selection})
    return price


async def one(db: AsyncConnection, kind: str, thing: str) -> Row | None:
    """One thing, if anything is known of it."""
    found = (await db.execute(ONE, {"kind": kind, "id": thing})).mappings().first()
    return None if found is None else _row(found)


async def children(db: AsyncConnection, kind: str, parent: str) -> Sequence[Row]:
    """The markets of an event, or the selections of a market, by name."""
    found = await db.execute(CHILDREN, {"kind": kind, "parent": parent})
    return [_row(each) for each in found.mappings()]


def _text(rows: Sequence[Row]) -> str:
    return msgspec.json.encode(rows).decode()


def _row(found: RowMapping) -> Row:
    return msgspec.convert(dict(found), Row)
